"""The judge of a whole mesh under chaos: a history that breaks an invariant is found, or its `ok` is worth nothing."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.chaos.mesh.clients.histories import History, Outcome, Reading
from tests.chaos.mesh.fault_injector import Hit
from tests.chaos.mesh.judge.invariants import judge
from tests.chaos.mesh.judge.observations import Observations
from tests.chaos.mesh.judge.photos import FoundPhoto, PhotosLeft
from tests.chaos.mesh.judge.report import report
from tests.chaos.mesh.plan import Kind
from tests.chaos.mesh.webhook_receiver import Delivery
from tests.chaos.observations import Commit, Ending, Handover
from tests.support.scan.journal import Entry, Event

SCAN, NUMBER = "s1", "17"
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
# What a scan's percentage is, by the last digits of its version.
PERCENT = {1: 10, 3: 50, 5: 60, 7: 70, 9: 100}


def read(version: int, began: float, at: float, state: str = "RUNNING", **fields: Any) -> Reading:
    """A state that was read."""
    usual = {"call": round(began * 10), "operation": "get", "percent": PERCENT.get(version % 100, 100)}
    return Reading(**{"scan_id": SCAN, "began": began, "at": at, "state": f"STATE_{state}", "version": version,
                      **usual, **fields})  # fmt: skip


def ended(operation: str, at: float, status: str = "200", **fields: Any) -> Outcome:
    """A call that ended."""
    return Outcome(
        call=round(at * 10), operation=operation, scan_id=SCAN, began=at - 0.1, at=at, status=status, **fields
    )


def history(*entries: Reading | Outcome) -> History:
    """What one client was told of its one scan."""
    told = History("user-1", list(entries))
    told.accepted, told.started, told.secrets = {"r1": {SCAN}}, {SCAN}, {SCAN: SECRET}
    return told


def called(at: float, event: Event = Event.STARTED, stage: str = "vision", began: float = 0.0) -> Entry:
    """A line in the model's journal."""
    return Entry(at=at, pid=9, event=event, scan_id=NUMBER, stage=stage, began=began)


def delivered(kind: str = "scan.succeeded", event_id: str = "w1", status: int = 204, at: float = 1000.0) -> Delivery:
    """A webhook as it came, well signed."""
    state = f"STATE_{kind.removeprefix('scan.').upper()}"
    body = json.dumps({"type": kind, "data": {"scan": {"scan_id": SCAN, "state": state}}})
    signature = Webhook(SECRET).sign(event_id, datetime.fromtimestamp(at, UTC), body)
    headers = {"webhook-id": event_id, "webhook-timestamp": str(int(at)), "webhook-signature": signature}
    return Delivery("user-1", headers, body.encode(), at, status)


END = read(10009, 3.0, 3.1, "SUCCEEDED", answered=True)
REWARDED = read(10010, 4.0, 4.1, "SUCCEEDED", answered=True, rewarded=True)
GOOD = Observations(
    histories=[history(ended("create", 0.5), read(10001, 1.0, 1.1), read(10003, 2.0, 2.1), END, REWARDED)],
    calls=[called(101.0), called(101.5, Event.PAID, began=101.0), called(102.5, stage="answer")],
    numbers={SCAN: NUMBER},
    commits=[Commit(SCAN, "vision", 1, 102.0)],
    endings=[Ending(SCAN, "SUCCEEDED", 103.0)],
    states={SCAN: "SUCCEEDED"},
    callbacks=frozenset({SCAN}),
    deliveries=[delivered(status=503), delivered()],
    photos=PhotosLeft([FoundPhoto(f"photos/{SCAN}.jpg", 200)]),
)


def told(*entries: Reading | Outcome) -> Observations:
    """The same run, but this is what the client was told."""
    return replace(GOOD, histories=[history(*entries)])


def broken(seen: Observations) -> list[str]:
    """The first word or two of every invariant that doesn't hold."""
    return [" ".join(finding.name.split()[:2]) for finding in judge(seen) if not finding.holds]


@pytest.mark.parametrize(
    ("found", "state", "verdict"),
    [
        ([FoundPhoto("photos/s1.jpg", 200, tells=True)], "SUCCEEDED", ["photos shown"]),
        ([FoundPhoto("photos/s1.jpg", 200), FoundPhoto("uploads/s1.jpg", 200)], "AWAITING", ["photos shown"]),
        ([FoundPhoto("photos/s1.jpg", 200), FoundPhoto("uploads/s1.jpg", 403)], "SUCCEEDED", ["photos kept"]),
        ([FoundPhoto("photos/s1.jpg", 200), FoundPhoto("photos/gone.jpg", 200)], "SUCCEEDED", ["photos kept"]),
        ([FoundPhoto("photos/s1.jpg", 200)], "CANCELLED", ["photos kept"]),
        ([FoundPhoto("photos/s1.jpg", 403)], "SUCCEEDED", ["photos of"]),
        ([], "SUCCEEDED", ["photos of"]),
        ([FoundPhoto("uploads/s1.jpg", 403)], "AWAITING", []),
    ],
)
def test_photos_are_judged(found: list[FoundPhoto], state: str, verdict: list[str]) -> None:
    """What strangers may see, what must have gone, what must be there."""
    live = frozenset({SCAN}) if state == "AWAITING" else frozenset[str]()
    seen = replace(GOOD, states={SCAN: state}, photos=PhotosLeft(found, live))
    assert [name for name in broken(seen) if name.startswith("photos")] == verdict


def test_a_run_as_it_should_be_breaks_nothing() -> None:
    """A webhook that came twice under one id, and a reward after the end."""
    assert broken(GOOD) == []


def test_a_version_that_goes_back_is_found() -> None:
    """By a poll that began after the newer one had been read."""
    assert broken(told(read(10003, 1.0, 1.1), read(10001, 2.0, 2.1))) == ["versions that"]


def test_a_version_that_goes_back_within_one_stream_is_found() -> None:
    """Its events share a call, which began before all of them."""
    stream: dict[str, Any] = {"call": 7, "operation": "watch"}
    assert broken(told(read(10003, 1.0, 1.1, **stream), read(10001, 1.0, 1.2, **stream))) == ["versions that"]


def test_calls_that_overlap_may_answer_in_any_order() -> None:
    """The older answer was under way already when the newer one came."""
    assert broken(told(read(10003, 1.5, 1.6), read(10001, 1.0, 2.0))) == []


def test_a_percentage_that_goes_back_within_an_attempt_is_found() -> None:
    """A new lease of the scan may begin further back, its versions begin at the next ten thousand."""
    assert broken(told(read(10003, 1.0, 1.1), read(10005, 2.0, 2.1, percent=30))) == ["percentages that"]
    assert broken(told(read(10005, 1.0, 1.1), read(10005, 2.0, 2.1, percent=30))) == ["percentages that"]
    assert broken(told(read(10005, 1.0, 1.1), read(20001, 2.0, 2.1))) == []


@pytest.mark.parametrize(
    "later",
    [
        read(10010, 4.0, 4.1, "SUCCEEDED", answered=True),
        read(20000, 4.0, 4.1, "QUEUED"),
        replace(REWARDED, state="STATE_CANCELLED"),
        replace(REWARDED, version=10009),
    ],
)
def test_a_change_after_the_end_is_found(later: Reading) -> None:
    """Only a later version that brings the reward may follow."""
    assert "changes after" in broken(told(END, later))


def test_a_second_reward_is_found() -> None:
    """It was there already."""
    again = replace(REWARDED, version=10011, began=5.0, at=5.1)
    assert broken(told(END, REWARDED, again)) == ["changes after"]


def test_what_the_users_own_reply_changes_is_no_fault() -> None:
    """The answer became more precise."""
    updated = read(10011, 6.0, 6.1, "SUCCEEDED", answered=True, rewarded=True)
    assert broken(told(END, REWARDED, ended("answer", 5.5), updated)) == []
    assert broken(told(END, REWARDED, updated, ended("answer", 7.5))) == ["changes after"]


def test_a_deleted_scan_that_is_shown_is_found() -> None:
    """Whoever deleted it had been told so."""
    seen = told(END, read(10009, 6.0, 6.1, "SUCCEEDED", answered=True))
    seen.histories[0].deleted[SCAN] = 5.0
    assert broken(seen) == ["deleted scans"]


def test_one_request_id_with_two_scans_is_found() -> None:
    """It was repeated since the first answer had been lost."""
    seen = told(END)
    seen.histories[0].accepted["r1"].add("s2")
    assert "one request_id," in broken(replace(seen, states={SCAN: "SUCCEEDED", "s2": "SUCCEEDED"}))


@pytest.mark.parametrize("status", ["500", "502", "INTERNAL", "UNKNOWN"])
def test_an_internal_error_is_found(status: str) -> None:
    """Whatever was done to the mesh: it was no fault of the code's."""
    assert broken(told(ended("get", 1.0, status, reason="INTERNAL"))) == ["internal errors"]


@pytest.mark.parametrize("status", ["503", "429", "UNAVAILABLE"])
def test_a_refusal_without_a_time_to_come_back_is_found(status: str) -> None:
    """Clients would come back at once, all of them."""
    busy = ended("get", 1.0, status, reason="UNAVAILABLE")
    assert broken(told(busy)) == ["refusals that"]
    assert broken(told(replace(busy, retry_after=True))) == []


def test_an_error_without_a_reason_is_found() -> None:
    """A connection that was cut has none, and is no error of the mesh's."""
    assert broken(told(ended("get", 1.0, "404"))) == ["errors without"]
    assert broken(told(ended("get", 1.0, "cut"))) == []


def test_a_scan_that_is_lost_or_never_ends_is_found() -> None:
    """Unless its user asked to delete it."""
    assert broken(replace(GOOD, states={}, photos=PhotosLeft(()))) == ["accepted scans"]
    assert "started scans" in broken(replace(GOOD, states={SCAN: "QUEUED"}))
    seen = told(END)
    seen.histories[0].deleting.add(SCAN)
    assert broken(replace(seen, states={}, photos=PhotosLeft(()))) == []


def test_a_scan_that_failed_is_found_unless_its_photo_was_spoilt() -> None:
    """Every blow ends in time."""
    seen = replace(told(END), states={SCAN: "FAILED"})
    assert "scans failed" in broken(seen)
    late = replace(seen, endings=[Ending(SCAN, "FAILED", 1070.0)])
    assert "scans failed" in broken(replace(late, hits=[Hit(Kind.RESTART, "vision", 1000.0, 1030.0)]))
    assert "scans failed" not in broken(replace(late, hits=[Hit(Kind.RESTART, "vision", 1000.0, 1065.0)]))
    seen.histories[0].spoilt.add(SCAN)
    assert "scans failed" not in broken(seen)


def test_a_model_that_is_asked_for_what_is_stored_is_found() -> None:
    """However the process was treated that asks."""
    hit = Hit(Kind.FREEZE, "scan", 101.6, 105.0)
    seen = replace(GOOD, calls=[*GOOD.calls, called(104.0)], hits=[hit])
    assert broken(seen) == ["calls to"]


def test_the_databases_clock_may_be_wrong_about_when_something_was_stored() -> None:
    """While it was set back, what was stored at 103 looks as if it had been at 100."""
    seen = replace(GOOD, commits=[Commit(SCAN, "vision", 1, 100.5)])
    assert broken(seen) == ["calls to"]
    assert broken(replace(seen, hits=[Hit(Kind.CLOCK, "postgres", 99.0, 106.0, step=3.0)])) == []


@pytest.mark.parametrize(
    ("hit", "excused"),
    [
        (Hit(Kind.KILL, "scan", 101.6, 101.6), True),
        (Hit(Kind.FREEZE, "vision", 101.4, 103.0), True),
        (Hit(Kind.FREEZE, "postgres", 101.6, 106.0), True),
        (Hit(Kind.KILL, "rules", 101.6, 101.6), False),
        (Hit(Kind.KILL, "scan", 99.0, 99.0), False),
        (Hit(Kind.DISK_FULL, "postgres", 101.6, 106.0), False),
        (Hit(Kind.DISK_FULL, "seaweedfs", 101.6, 106.0), False),
    ],
)
def test_a_good_answer_that_is_thrown_away_is_found(hit: Hit, *, excused: bool) -> None:
    """A full disk excuses nothing: what is in hand is kept until it can be stored."""
    seen = replace(GOOD, calls=[*GOOD.calls, called(104.0)], commits=[Commit(SCAN, "vision", 2, 105.0)], hits=[hit])
    assert broken(seen) == ([] if excused else ["good answers"])


def test_an_answer_that_came_after_its_try_was_over_was_not_thrown_away() -> None:
    """The job had been put back when its deadline had passed, while the model still wrote."""
    seen = replace(GOOD, calls=[*GOOD.calls, called(104.0)], commits=[Commit(SCAN, "vision", 3, 105.0)])
    assert broken(seen) == ["good answers"]
    assert broken(replace(seen, handovers=[Handover(SCAN, 2, "READY", None, 101.4)])) == []


@pytest.mark.parametrize(
    "deliveries",
    [
        [],
        [delivered(status=503)],
        [delivered(), delivered(event_id="w2")],
        [delivered(), delivered("scan.failed")],
        [replace(delivered(), body=delivered().body + b" ")],
        [replace(delivered(), at=2000.0)],
    ],
)
def test_a_webhook_that_is_missing_doubled_or_untrue_is_found(deliveries: Sequence[Delivery]) -> None:
    """Never taken, under two ids, of an end that never was, changed on its way, signed long ago."""
    assert broken(replace(GOOD, deliveries=deliveries)) == ["webhooks missing,"]


def test_the_offending_clients_history_is_printed_and_what_was_skipped_is_said() -> None:
    """A verdict that can't be followed up helps nobody; silence about what wasn't tried misleads."""
    seen = replace(told(read(10003, 1.0, 1.1), read(10001, 2.0, 2.1)), deliveries=None,
                   skipped={"disk full of postgres": "no mount namespaces here"})  # fmt: skip
    text = report(seen, judge(seen))
    assert "history of user-1" in text
    assert "10003  50 % RUNNING" in text
    assert "SKIPPED: disk full of postgres" in text
    assert "NOT JUDGED" in text
