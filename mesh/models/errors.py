"""What can go wrong with a model, each with its reason and whether another try makes sense."""

import email.utils
import time
from collections.abc import Mapping

import openai

from mesh.errors import DeadlineExceeded, EcoError, FailedPrecondition, ResourceExhausted, Unavailable
from mesh.reasons import Reason

RETRIED = frozenset({Reason.MODEL_RATE_LIMITED, Reason.MODEL_TIMED_OUT, Reason.MODEL_UNAVAILABLE})
"""What another try a moment later may mend."""

_SOON = 1.0
_OPERATORS_SECONDS = 120.0  # how long it takes people to mend a key or a quota, at the very least
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_TOO_MANY = 429
_SERVER_ERROR = 500


def from_sdk(error: BaseException, model: str) -> EcoError:
    """The error behind an exception of the SDK, or of a time limit around it."""
    if isinstance(error, openai.APIStatusError):
        return _from_status(error, model)
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return timed_out(model)
    return unavailable(model)


def timed_out(model: str) -> EcoError:
    """The model was silent for too long."""
    return DeadlineExceeded(Reason.MODEL_TIMED_OUT, retry_after=_SOON, model=model)


def unavailable(model: str, retry_after: float = _SOON) -> EcoError:
    """The provider is broken or can't be reached."""
    return Unavailable(Reason.MODEL_UNAVAILABLE, retry_after=retry_after, model=model)


def invalid(model: str, detail: str) -> EcoError:
    """What the model wrote isn't what was asked for: "json", "schema", "empty" or "length"."""
    return Unavailable(Reason.MODEL_OUTPUT_INVALID, retry_after=_SOON, model=model, detail=detail)


def unfinished(model: str, finish: str | None, refusal: str | None) -> EcoError | None:
    """Why an answer isn't whole; None if it is. None of these is tried again: it would end the same way."""
    if refusal:
        return FailedPrecondition(Reason.MODEL_REFUSED, model=model)
    if finish == "content_filter":
        return FailedPrecondition(Reason.MODEL_FILTERED, model=model)
    if finish == "length":
        return FailedPrecondition(Reason.MODEL_CUT_SHORT, model=model)
    return None


def _from_status(error: openai.APIStatusError, model: str) -> EcoError:
    status = error.status_code
    if status == _TOO_MANY and error.code not in _QUOTA_CODES:
        wait = _retry_after(error.response.headers)
        return ResourceExhausted(Reason.MODEL_RATE_LIMITED, retry_after=wait, model=model)
    if status >= _SERVER_ERROR:
        return unavailable(model, _retry_after(error.response.headers))
    return Unavailable(Reason.MODEL_REJECTED, retry_after=_OPERATORS_SECONDS, model=model, status=status)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds, from either form of the header; a little when there is none."""
    text = headers.get("retry-after", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        date = email.utils.parsedate_tz(text)
        return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else _SOON
