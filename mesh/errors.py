"""The errors a service may raise: one class a gRPC code, each with a `mesh.reasons.Reason`.

Nothing here knows gRPC: `mesh.grpc.status` maps these to `google.rpc.Status`, once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Self

from mesh.locale import Locale
from mesh.reasons import TEXTS, Reason

# An error quotes what a client or a peer sent; none of it may grow with that.
MOST_VIOLATIONS = 16
LONGEST_VALUE = 256
_MOST_VALUES = 8
_LONGEST_KEY = 40


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that broke its rule.

    Attributes:
        field: Path in the request, such as `upload.size_bytes`.
        rule: The rule's id, such as `uint32.lte`.
        text: What is wrong, per locale.
    """

    field: str
    rule: str
    text: Mapping[Locale, str]


class EcoError(Exception):
    """An error with a reason. Raise one of its kinds below.

    Args:
        reason: Why.
        retry_after: Seconds after which another try makes sense; None if it wouldn't.
        violations: Bad fields, for `InvalidArgument`; the first 16 are kept.
        unlisted: How many more bad fields there are.
        metadata: What the reason's text and its machine-readable details are filled with: the first eight, each value
            as `quoted`.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        retry_after: float | None = None,
        violations: Sequence[FieldViolation] = (),
        unlisted: int = 0,
        **metadata: object,
    ) -> None:
        self.reason = reason
        self.retry_after = retry_after
        self.violations = tuple(violations[:MOST_VIOLATIONS])
        self.unlisted = unlisted + len(violations) - len(self.violations)
        self.metadata = _quotable(metadata)
        super().__init__(self.text(Locale.EN))

    @classmethod
    def stored(cls, reason: Reason, metadata: Mapping[str, str], retry_after: float | None = None) -> Self:
        """The error with metadata that came from elsewhere, whatever its keys."""
        error = cls(reason, retry_after=retry_after)
        error.metadata = _quotable(metadata)
        return error

    def text(self, locale: Locale, longest: int = LONGEST_VALUE) -> str:
        """What a person reads, no value longer than so many characters."""
        values = {key: quoted(value, longest) for key, value in self.metadata.items()}
        return TEXTS[self.reason][locale].format_map(_Blanks(values))


class InvalidArgument(EcoError):
    """The request is wrong whatever the state of the system."""


class NotFound(EcoError):
    """It doesn't exist, or isn't the caller's."""


class PermissionDenied(EcoError):
    """It exists, and the caller may see it, but not do this with it."""


class FailedPrecondition(EcoError):
    """The request is right, the state of the system isn't."""


class AlreadyExists(EcoError):
    """Another one has this id."""


class OutOfRange(EcoError):
    """What is asked for lies beyond what there is, or what is kept."""


class Aborted(EcoError):
    """Another call of the same kind is at work, or was first."""


class ResourceExhausted(EcoError):
    """A limit is reached."""


class Unavailable(EcoError):
    """A store or a peer is down."""


class Unauthenticated(EcoError):
    """No identity came with the call."""


class Unimplemented(EcoError):
    """Part of the contract that this release doesn't serve."""


class DeadlineExceeded(EcoError):
    """The caller's time is up."""


class Internal(EcoError):
    """A fault of ours. Carries nothing but the trace id."""


def quoted(value: object, longest: int = LONGEST_VALUE) -> str:
    """A value as an error may quote it: printable, and no longer than so many characters."""
    text = str(value)
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)


def _quotable(metadata: Mapping[str, object]) -> dict[str, str]:
    kept = islice(metadata.items(), _MOST_VALUES)
    return {quoted(key, _LONGEST_KEY): quoted(value) for key, value in kept}


class _Blanks(dict[str, str]):
    """Leaves a placeholder empty when a peer sent an error without its metadata."""

    def __missing__(self, key: str) -> str:
        return ""


KINDS: Mapping[str, type[EcoError]] = MappingProxyType({kind.__name__: kind for kind in EcoError.__subclasses__()})
