"""Webhooks: what is told, how it is signed, when it is tried again."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks

from scan_svc.scans import Photo, Scan, State
from scan_svc.webhooks import message as webhooks
from scan_svc.webhooks.message import BODY_LIMIT, Webhook, WebhookEvent

NOW = datetime.now(UTC)
SECRET = webhooks.new_secret(bytes(range(webhooks.SECRET_BYTES)))
SCAN = Scan(
    scan_id="0197-scan", user_id="u", state=State.SUCCEEDED, version=1, photo=Photo("https://cdn/1.jpg"), created_at=NOW
)
WEBHOOK = Webhook("0197-hook", WebhookEvent.SUCCEEDED, NOW, SCAN, "https://example.com/hook", SECRET, gone=False)
SHOWN: dict[str, Any] = {"scan_id": "0197-scan", "state": "STATE_SUCCEEDED", "user_input": "이 캔은 어디에 버려요?"}


def schedule(jitter: float, asked: float | None = None) -> list[float]:
    """The pauses of a webhook that nobody takes."""
    pauses: list[float] = []
    for attempt in itertools.count(1):
        pause = webhooks.pause(attempt, sum(pauses), asked, jitter)
        if pause is None:
            return pauses
        pauses.append(pause)
    raise AssertionError


@pytest.fixture
def sent_at() -> datetime:
    """The moment of sending: receivers refuse what was signed five minutes ago, which a slow suite can reach."""
    return datetime.now(UTC)


def test_what_is_signed_is_what_receivers_verify(sent_at: datetime) -> None:
    """By the reference library, not by ours: Korean text, id, time and secret all as it expects them."""
    content = webhooks.body(WEBHOOK, SHOWN)
    verified = standardwebhooks.Webhook(SECRET).verify(content, webhooks.headers(WEBHOOK, content, sent_at))
    assert (verified["type"], verified["data"]) == ("scan.succeeded", {"scan": SHOWN})
    assert datetime.fromisoformat(verified["timestamp"]) == NOW


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
def test_nothing_can_be_changed_on_the_way(changed: str, sent_at: datetime) -> None:
    """Each of the signed parts counts."""
    content = webhooks.body(WEBHOOK, SHOWN)
    headers = webhooks.headers(WEBHOOK, content, sent_at)
    other = webhooks.headers(WEBHOOK, b"{}", sent_at)
    tampered = {
        "webhook-id": headers | {"webhook-id": "another"},
        "webhook-timestamp": headers | {"webhook-timestamp": str(int(sent_at.timestamp()) - 1)},
        "webhook-signature": headers | {"webhook-signature": other["webhook-signature"]},
        "body": headers,
    }[changed]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(content + b" " * (changed == "body"), tampered)


def test_a_body_that_is_too_large_leaves_parts_out_and_says_which() -> None:
    """A receiver's limit mustn't lose the news; the rest can be fetched."""
    scan = SHOWN | {"places": [{"name": "x" * 30_000}], "rules": [{"text": "가" * 10_000}], "answer": {"text": "y"}}
    content = webhooks.body(WEBHOOK, scan)
    assert len(content) <= BODY_LIMIT
    data = json.loads(content)["data"]
    assert data["omitted"] == ["rules", "places"]
    assert data["scan"] == SHOWN | {"answer": {"text": "y"}}


def test_a_small_body_loses_nothing() -> None:
    """And says nothing of omissions."""
    scan = SHOWN | {"rules": [{"text": "y"}]}
    assert json.loads(webhooks.body(WEBHOOK, scan))["data"] == {"scan": scan}


def test_secrets_are_random_and_long_enough() -> None:
    """Standard Webhooks wants 24 to 64 bytes."""
    secrets = {webhooks.new_secret(bytes([number]) * webhooks.SECRET_BYTES) for number in range(3)}
    assert len(secrets) == 3
    assert all(secret.startswith("whsec_") for secret in secrets)
    assert 24 <= webhooks.SECRET_BYTES <= 64


def test_tries_are_spread_over_most_of_a_day() -> None:
    """Soon at first, for a receiver that restarts; rarely later, for one whose people sleep."""
    assert schedule(jitter=0) == [5, 300, 1800, 7200, 18_000, 36_000]
    assert 16 * 3600 < sum(schedule(jitter=0)) < sum(schedule(jitter=1)) < 24 * 3600


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_jitter_only_delays_and_by_a_quarter_at_most(jitter: float) -> None:
    """An endpoint that was away isn't met by all of its webhooks at the same second."""
    assert schedule(jitter) == [pause * (1 + jitter / 4) for pause in schedule(0)]


def test_a_receiver_may_ask_for_more_time() -> None:
    """Its Retry-After outweighs a shorter pause of ours, and not a longer one."""
    assert webhooks.pause(1, 0, 60, jitter=0) == 60
    assert webhooks.pause(4, 0, 60, jitter=0) == 7200


@pytest.mark.parametrize("asked", [7 * 86_400.0, float("inf")])
def test_but_the_last_try_is_a_day_after_the_first(asked: float) -> None:
    """A week's Retry-After would keep jobs for ever."""
    assert schedule(0, asked) == [86_400]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Fri, 02 Jan 2026 03:09:05 GMT", 300),
        ("Fri, 02 Jan 2026 03:09:05 -0000", 300),
        ("Fri, 02 Jan 2026 02:00:00 GMT", 0),
        ("9" * 400, float("inf")),
    ],
)
def test_retry_after_is_understood_in_both_forms(header: str, seconds: float) -> None:
    """Seconds, or a date."""
    assert webhooks.retry_after(header, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    "header", ["", "soon", "-5", "1.5", "²", "Mon, 99 Foo 2026 00:00:00 GMT", "Mon, 01 Jan 2026 00:00:00 +" + "9" * 20]
)
def test_a_retry_after_that_says_nothing_is_ignored(header: str) -> None:
    """Strangers write it."""
    assert webhooks.retry_after(header, NOW) is None
