"""Reason and text of an error, from the `google.rpc.Status` of an RPC error or a failed scan."""

import contextlib
import math
from dataclasses import dataclass

from google.protobuf import json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2

from local.errors import Disconnected
from mesh.locale import Locale


@dataclass(frozen=True, slots=True)
class ErrorText:
    """A reason and its text.

    Attributes:
        reason: Of `eco2.errors.v1.ErrorReason`, without prefix; the code's name if it has none.
        text: In the reader's language.
        wait: In how many seconds a retry may succeed; 0 if the error doesn't say.
    """

    reason: str
    text: str
    wait: int = 0

    @classmethod
    def of(cls, status: status_pb2.Status, locale: Locale) -> "ErrorText":
        """Reads a Status: its ErrorInfo, and its LocalizedMessage in `locale` or, failing that, in any language."""
        info, message = error_details_pb2.ErrorInfo(), error_details_pb2.LocalizedMessage()
        retry = error_details_pb2.RetryInfo()
        reason, texts, wait = code_pb2.Code.Name(status.code), dict[str, str](), 0
        for detail in status.details:
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(message):
                texts[message.locale] = message.message
            elif detail.Unpack(retry):
                wait = math.ceil(retry.retry_delay.ToTimedelta().total_seconds())
        return cls(reason, texts.get(locale) or next(iter(texts.values()), status.message), wait)


class ApiError(Exception):
    """The API refused a call."""

    def __init__(self, failure: ErrorText) -> None:
        self.failure = failure
        super().__init__(f"{failure.reason}: {failure.text}")

    @classmethod
    def from_json(cls, body: bytes, http_status: int, locale: Locale) -> "ApiError":
        """Reads the body of an error reply over REST.

        Raises:
            Disconnected: The API is there but can't serve for the moment; a retry may succeed.
        """
        status, text = status_pb2.Status(), body.decode(errors="replace")
        with contextlib.suppress(json_format.ParseError):
            json_format.Parse(text, status, ignore_unknown_fields=True)
        if status.code == code_pb2.UNAVAILABLE:
            raise Disconnected(ErrorText.of(status, locale).text)
        if status.code == code_pb2.OK:  # no Status at all: the reply is storage's or a proxy's
            return cls(ErrorText(f"HTTP_{http_status}", " ".join(text.split())[:500]))
        return cls(ErrorText.of(status, locale))
