"""Errors as people read them."""

from typing import Any

import pytest
from google.protobuf import json_format
from google.rpc import code_pb2, status_pb2

from local.cli.api.errors import ApiError, ErrorText
from local.errors import Disconnected
from mesh.errors import NotFound, ResourceExhausted, Unavailable
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason

ERROR = NotFound(Reason.SCAN_NOT_FOUND, scan_id="a1")


@pytest.mark.parametrize("locale", list(Locale))
def test_the_text_is_in_the_readers_language(locale: Locale) -> None:
    """A failed scan carries both; the reader wants one."""
    failure = ErrorText.of(to_status(ERROR, *Locale), locale)
    assert failure == ErrorText("SCAN_NOT_FOUND", ERROR.text(locale))


def test_it_says_when_a_retry_may_succeed() -> None:
    """In whole seconds, and not too early."""
    error = ResourceExhausted(Reason.RATE_LIMIT, rpc="CreateScan", most=600, window_seconds=60, retry_after=6.1)
    assert ErrorText.of(to_status(error, Locale.EN), Locale.EN).wait == 7
    assert ErrorText.of(to_status(ERROR, Locale.EN), Locale.EN).wait == 0


def test_any_language_is_better_than_none() -> None:
    """A call's error carries the caller's language alone."""
    assert ErrorText.of(to_status(ERROR, Locale.KO), Locale.EN).text == ERROR.text(Locale.KO)


def test_an_error_without_details_is_named_after_its_code() -> None:
    """The edge itself may answer, before any service."""
    status = status_pb2.Status(code=code_pb2.UNAUTHENTICATED, message="Jwt is missing")
    assert ErrorText.of(status, Locale.EN) == ErrorText("UNAUTHENTICATED", "Jwt is missing")


def test_an_error_over_rest_is_the_same_status() -> None:
    """Envoy writes the Status as JSON, its details included."""
    body: Any = json_format.MessageToJson(to_status(ERROR, Locale.EN))
    assert ApiError.from_json(body.encode(), 404, Locale.EN).failure.reason == "SCAN_NOT_FOUND"


def test_what_cannot_serve_for_the_moment_is_a_lost_connection() -> None:
    """A process that is killed while it is asked: the edge answers for it, and the call may be made again."""
    body: Any = json_format.MessageToJson(to_status(Unavailable(Reason.UNAVAILABLE), Locale.KO))
    with pytest.raises(Disconnected, match="조금 뒤에"):
        ApiError.from_json(body.encode(), 503, Locale.KO)


def test_a_page_is_shown_in_a_line() -> None:
    """A proxy's error is HTML, and longer than a screen."""
    assert ApiError.from_json(b"<html>\n <p>Bad\n</html>\n", 502, Locale.EN).failure.text == "<html> <p>Bad </html>"


@pytest.mark.parametrize("body", [b"<Error>SignatureDoesNotMatch</Error>", b"", b"[]", b"\xff"])
def test_a_body_that_is_no_status_is_shown_as_it_is(body: bytes) -> None:
    """Object storage answers XML, a broken proxy anything; neither may become a traceback."""
    assert ApiError.from_json(body, 403, Locale.EN).failure.reason == "HTTP_403"
