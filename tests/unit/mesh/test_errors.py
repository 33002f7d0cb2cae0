"""Errors: every reason is documented, worded and mapped."""

import string

import grpc
import pytest
from google.rpc import error_details_pb2

from eco2.errors.v1 import error_reason_pb2
from mesh.errors import EcoError, FieldViolation, InvalidArgument, ResourceExhausted
from mesh.grpc.status import CODES, DETAILS_HEADER, MOST_BYTES, from_rpc_error, to_error, to_status, wire_bytes
from mesh.locale import Locale
from mesh.reasons import TEXTS, Reason


def test_reasons_mirror_the_proto() -> None:
    """Clients switch on the proto's names."""
    names = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name}
    assert set(Reason.__members__) == names - {"UNSPECIFIED"}


def test_only_reasons_are_worded() -> None:
    """And all of them: a text that no reason has any more is one that nobody reads."""
    assert set(TEXTS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_worded_in_both_languages_with_the_same_facts(reason: Reason) -> None:
    """A Korean reader must not be told less; `peer` alone is for developers."""
    facts = {
        locale: {name for _, name, _, _ in string.Formatter().parse(TEXTS[reason][locale]) if name} for locale in Locale
    }
    assert facts[Locale.KO] == facts[Locale.EN] - {"peer"}


def test_every_kind_of_error_has_a_code() -> None:
    """An error without one would take the server down with it."""
    assert set(CODES) == set(EcoError.__subclasses__())


def test_a_status_survives_the_wire() -> None:
    """A peer's refusal must reach our caller with its reason, facts and delay."""
    sent = ResourceExhausted(Reason.LIMIT_EXCEEDED, limit="watchers", retry_after=1.5)
    received = to_error(to_status(sent, Locale.KO))
    assert (type(received), received.reason) == (ResourceExhausted, Reason.LIMIT_EXCEEDED)
    assert (received.metadata, received.retry_after) == ({"limit": "watchers"}, 1.5)


LETTERS = ("가", "\U0001f600", "%", "\x00", "\n", "\ud800", "<", '"')


@pytest.mark.parametrize("letter", LETTERS, ids=map(ascii, LETTERS))
@pytest.mark.parametrize("reason", [Reason.INVALID_FIELD, Reason.PHOTO_FORMAT, Reason.INTERNAL, Reason.RATE_LIMIT])
def test_a_refusal_never_grows_with_what_it_quotes(reason: Reason, letter: str) -> None:
    """Trailers of more than some kilobytes cost other users their calls; Envoy shares its connections."""
    names = [name for _, name, _, _ in string.Formatter().parse(TEXTS[reason][Locale.EN]) if name]
    text = {Locale.KO: "형식이 올바르지 않아요" * 5, Locale.EN: "does not match the pattern " * 5}
    paths = [f"category.minor[{number}]{letter * 1000}" for number in range(1000)]
    violations = [FieldViolation(path, "string.pattern", text) for path in paths]
    filled = dict.fromkeys([*names, *(f"other{number}" for number in range(100))], letter * 100000)
    for kind in (InvalidArgument(reason, violations=violations, **filled), InvalidArgument.stored(reason, filled)):
        for locales in ((Locale.KO,), (Locale.EN,), tuple(Locale)):
            status = to_status(kind, *locales)
            assert wire_bytes(status) <= MOST_BYTES
            relayed = to_status(to_error(status), *locales)
            assert wire_bytes(relayed) <= MOST_BYTES
            assert relayed.message.isprintable()


def test_a_list_of_violations_says_how_many_are_left_out() -> None:
    """In both languages; a client that mends sixteen fields must not think it is done."""
    violation = FieldViolation("tags[0]", "string.min_len", {Locale.KO: "짧아요", Locale.EN: "too short"})
    for locale in Locale:
        bad = error_details_pb2.BadRequest()
        status = to_status(InvalidArgument(Reason.INVALID_FIELD, violations=[violation] * 1000, fields="tags"), locale)
        assert any(detail.Unpack(bad) for detail in status.details)
        *listed, last = bad.field_violations
        assert (len(listed), last.description) == (16, "and 984 more")
        assert "984" in last.localized_message.message


def test_a_value_is_quoted_as_it_is_when_it_is_short() -> None:
    """Most are; a Korean tag among them."""
    assert InvalidArgument(Reason.TAG_UNKNOWN, tag="내용물_있음").metadata == {"tag": "내용물_있음"}


class Rejected(grpc.aio.AioRpcError):
    """A peer's refusal with these details."""

    def __init__(self, details: bytes) -> None:
        trailers = grpc.aio.Metadata((DETAILS_HEADER, details))
        super().__init__(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailers, details="x" * 100_000)


def test_details_that_cannot_be_read_are_as_good_as_none() -> None:
    """A proxy may answer in a service's place."""
    assert from_rpc_error(Rejected(b"\xff\xff\xff"), "vision").reason is Reason.UNAVAILABLE


def test_a_foreign_status_becomes_the_general_error_of_its_code() -> None:
    """Proxies and libraries answer without our details."""
    bare = to_status(InvalidArgument(Reason.PHOTO_EMPTY))
    del bare.details[:]
    assert to_error(bare).reason is Reason.INVALID_FIELD
