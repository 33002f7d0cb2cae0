"""Which subjects of tokens are identities; the contract of rewards has the same rule."""

import uuid
from types import SimpleNamespace

import pytest

from eco2.character.v1.character_service_pb2 import EvaluateRewardRequest
from mesh.errors import InvalidArgument, Unauthenticated
from mesh.grpc.identity import Caller, caller, on_behalf_of
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.validation.rules import admit

USABLE = ("1", "auth0|5f7c", "mina@example.com", "two  words", "마포", "😀", "é", "가" * 128)
UNUSABLE = (
    "",
    " ",
    " mina",
    "mina ",
    "mi\tna",
    "mi\nna",
    "mi\x00na",
    "mi\u00a0na",
    "mi\u200bna",
    "x" * 129,
    "가" * 129,
)


def reward(user_id: str) -> EvaluateRewardRequest:
    return EvaluateRewardRequest(user_id=user_id, scan_id=str(uuid.uuid4()), category={"major": "재활용폐기물"})


@pytest.mark.parametrize("user_id", USABLE)
def test_what_people_are_called_is_an_identity_and_reaches_every_peer(user_id: str) -> None:
    """gRPC refuses to send any other text than printable ASCII, but for binary headers."""
    admit(reward(user_id))
    key, value = on_behalf_of(user_id)
    assert isinstance(value, bytes if key.endswith("-bin") else str)
    assert isinstance(value, bytes) or value.isascii()
    called = caller(SimpleNamespace(invocation_metadata=lambda: ((key, value),)))
    assert (called.user_id, called.account) == (user_id, user_id)


@pytest.mark.parametrize("user_id", UNUSABLE)
def test_anything_else_is_nobody(user_id: str) -> None:
    """It would fail later, after models were paid."""
    with pytest.raises(Unauthenticated) as refused:
        Caller(user_id, "").user_id  # noqa: B018  a property that raises
    assert refused.value.reason is Reason.UNAUTHENTICATED
    if user_id:  # of a reward the header says it, then
        with pytest.raises(InvalidArgument):
            admit(reward(user_id))


def test_a_service_may_call_for_nobody_in_particular() -> None:
    """On nobody's account, then."""
    assert Caller("", "").account == ""


@pytest.mark.parametrize(
    ("requested", "accepted", "expected"),
    [
        ("en-001", "ko", Locale.EN),
        ("ja-JP", "en-GB,en;q=0.9", Locale.EN),
        ("*", "en", Locale.EN),
        ("ja-JP", "fr", Locale.KO),
        ("", "en", Locale.EN),
    ],
)
def test_a_locale_we_do_not_speak_leaves_it_to_the_header(requested: str, accepted: str, expected: Locale) -> None:
    """A phone set to Japanese is no reason to refuse a call."""
    assert Caller("u1", accepted).locale_or(requested) is expected


@pytest.mark.parametrize(
    ("accepted", "expected"), [("*", Locale.EN), ("fr", Locale.EN), ("", Locale.EN), ("ko", Locale.KO)]
)
def test_who_names_no_language_of_ours_reads_what_was_written(accepted: str, expected: Locale) -> None:
    """HTTP clients send "*" by themselves."""
    assert Caller("u1", accepted).reads(Locale.EN) is expected
