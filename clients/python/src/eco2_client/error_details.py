"""What a Status says, read: of a refused call, or of a scan that failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eco2_client.models import Reason
from eco2_client.structs import Duration, Status


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of the request that broke its rule.

    Attributes:
        field: Its path, such as "upload.size_bytes".
        description: What is wrong, in English.
        message: The same in the caller's language.
        rule: The rule's id, such as "uint32.lte".
    """

    field: str
    description: str
    message: str
    rule: str


@dataclass(frozen=True, slots=True)
class Details:
    """What a Status says, read.

    Attributes:
        reason: Why, to decide by; None if what answered isn't Eco² itself.
        message: For the user, in the language asked for; in English if there is no such text.
        metadata: By reason, such as {"scan_id": "…"}.
        fields: Those that are wrong.
        retry_after: In how many seconds another try makes sense; None if the API doesn't say.
    """

    reason: Reason | None = None
    message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[FieldViolation, ...] = ()
    retry_after: float | None = None

    @classmethod
    def read(cls, status: Status, locale: str = "") -> "Details":
        """Reads a Status; what it doesn't know in it is passed over."""
        reason, metadata, fields, retry_after = None, dict[str, str](), list[FieldViolation](), None
        texts = dict[str, str]()
        for detail in status.details:
            match str(detail.get("@type", "")).rpartition(".")[2]:
                case "ErrorInfo":
                    reason, metadata = Reason(str(detail.get("reason", ""))), detail.get("metadata") or {}
                case "BadRequest":
                    fields = [_violation(each) for each in detail.get("field_violations", [])]
                case "RetryInfo":
                    retry_after = _seconds(str(detail.get("retry_delay", "")))
                case "LocalizedMessage":
                    texts[str(detail.get("locale"))] = str(detail.get("message"))
        text = texts.get(locale[:2]) or texts.get("en") or next(iter(texts.values()), status.message)
        return cls(reason, text, metadata, tuple(fields), retry_after)


def _violation(detail: Mapping[str, Any]) -> FieldViolation:
    localized = detail.get("localized_message") or {}
    text = str(detail.get("description", ""))
    return FieldViolation(
        str(detail.get("field", "")), text, str(localized.get("message", text)), str(detail.get("reason", ""))
    )


def _seconds(text: str) -> float | None:
    try:
        seconds = Duration.parse(text).total_seconds()
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None
