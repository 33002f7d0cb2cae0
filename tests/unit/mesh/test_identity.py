"""Which subjects of tokens are identities; the contract of rewards has the same rule."""

import uuid
from types import SimpleNamespace

import pytest

from eco2.character.v1.character_service_pb2 import EvaluateRewardRequest
from mesh.errors import InvalidArgument, Reason, Unauthenticated
from mesh.identity import Caller, caller, on_behalf_of
from mesh.validation import validate

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
    validate(reward(user_id))
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
    with pytest.raises(InvalidArgument):
        validate(reward(user_id))


def test_a_service_may_call_for_nobody_in_particular() -> None:
    """On nobody's account, then."""
    assert Caller("", "").account == ""
