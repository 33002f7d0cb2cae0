"""Errors: every reason is documented, worded and mapped."""

import string

import pytest

from eco2.errors.v1 import error_reason_pb2
from mesh.errors import TEXTS, EcoError, InvalidArgument, Reason, ResourceExhausted
from mesh.locale import Locale
from mesh.status import CODES, to_error, to_status


def test_reasons_mirror_the_proto() -> None:
    """Clients switch on the proto's names."""
    names = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name}
    assert set(Reason.__members__) == names - {"UNSPECIFIED"}


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


def test_a_foreign_status_becomes_the_general_error_of_its_code() -> None:
    """Proxies and libraries answer without our details."""
    bare = to_status(InvalidArgument(Reason.PHOTO_EMPTY))
    del bare.details[:]
    assert to_error(bare).reason is Reason.INVALID_FIELD
