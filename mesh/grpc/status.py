"""The one table between our errors and `google.rpc.Status`, in both directions."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from urllib.parse import quote

import grpc
import structlog
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from mesh.errors import (
    LONGEST_VALUE,
    MOST_VIOLATIONS,
    Aborted,
    AlreadyExists,
    DeadlineExceeded,
    EcoError,
    FailedPrecondition,
    FieldViolation,
    Internal,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    quoted,
)
from mesh.locale import Locale
from mesh.reasons import Reason

_log = structlog.get_logger("status")

DOMAIN = "eco2.app"
DETAILS_HEADER = "grpc-status-details-bin"
# Of details and message on the wire. Beyond 8 KiB of headers gRPC's peers may refuse, beyond about 60 kB Envoy drops
# the connection that other users' calls share.
MOST_BYTES = 4096
# What is left out, step by step, until that is kept: violations listed, characters of a value.
_TRIMS = ((MOST_VIOLATIONS, LONGEST_VALUE), (8, LONGEST_VALUE), (4, LONGEST_VALUE), (4, 64), (2, 32), (0, 16))
_READABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")  # what gRPC doesn't escape in a message

CODES: Mapping[type[EcoError], grpc.StatusCode] = MappingProxyType(
    {
        InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
        NotFound: grpc.StatusCode.NOT_FOUND,
        FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
        AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
        OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
        Aborted: grpc.StatusCode.ABORTED,
        PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
        ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Unavailable: grpc.StatusCode.UNAVAILABLE,
        Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
        Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
        DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
        Internal: grpc.StatusCode.INTERNAL,
    }
)
_KINDS = {code.value[0]: kind for kind, code in CODES.items()}


def to_status(error: EcoError, *locales: Locale) -> status_pb2.Status:
    """The wire form of an error.

    Args:
        error: What was raised.
        locales: Languages of the LocalizedMessage details, in order. The message itself is English, for developers.

    Returns:
        A Status with ErrorInfo, then BadRequest (bad fields), RetryInfo (retryable) and the LocalizedMessages; of at
        most `MOST_BYTES` on the wire.
    """
    for violations, longest in _TRIMS:
        status = _status(error, locales, violations, longest)
        if wire_bytes(status) <= MOST_BYTES:
            break
    return status


def wire_bytes(status: status_pb2.Status) -> int:
    """What a Status takes in a call's trailers: its details in base64, its message with what isn't ASCII escaped."""
    details: int = -(-status.ByteSize() // 3) * 4
    return details + len(quote(status.message, safe=_READABLE))


def _status(error: EcoError, locales: Sequence[Locale], violations: int, longest: int) -> status_pb2.Status:
    metadata = {key: quoted(value, longest) for key, value in error.metadata.items()}
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    message = error.text(Locale.EN, longest)
    status = status_pb2.Status(code=CODES[type(error)].value[0], message=message, details=[_pack(info)])
    if error.violations:
        status.details.append(_pack(_bad_request(error, locales[0], violations, longest)))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(round(error.retry_after * 1e9))
        status.details.append(_pack(error_details_pb2.RetryInfo(retry_delay=delay)))
    for locale in locales:
        text = error_details_pb2.LocalizedMessage(locale=locale, message=error.text(locale, longest))
        status.details.append(_pack(text))
    return status


def to_error(status: status_pb2.Status) -> EcoError:
    """The error a Status stands for. A reason we don't know, or none, becomes the code's general one."""
    kind = _KINDS.get(status.code, Internal)
    reason, metadata, retry_after = _GENERAL.get(kind, Reason.INTERNAL), dict[str, str](), None
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == DOMAIN and info.reason in Reason.__members__:
            reason, metadata = Reason(info.reason), dict(info.metadata)
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToNanoseconds() / 1e9
    return kind.stored(reason, metadata, retry_after)


def from_rpc_error(error: grpc.aio.AioRpcError, peer: str) -> EcoError:
    """The error behind a failed call to `peer`."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_HEADER and isinstance(value, bytes):
            with suppress(DecodeError):
                return to_error(status_pb2.Status.FromString(value))
    # No details that can be read: the transport spoke, not the service.
    kind = _KINDS.get(error.code().value[0], Internal)
    if kind in (Unavailable, Internal):
        # What gRPC says names inner addresses: it is for the log, not for users.
        _log.warning("peer failed", peer=peer, code=error.code().name, detail=error.details())
    return kind(_GENERAL.get(kind, Reason.INTERNAL), peer=peer)


_GENERAL: Mapping[type[EcoError], Reason] = MappingProxyType(
    {
        InvalidArgument: Reason.INVALID_FIELD,
        Unavailable: Reason.UNAVAILABLE,
        Unauthenticated: Reason.UNAUTHENTICATED,
        Unimplemented: Reason.NOT_IMPLEMENTED,
        DeadlineExceeded: Reason.DEADLINE_EXCEEDED,
        ResourceExhausted: Reason.LIMIT_EXCEEDED,
    }
)


def _bad_request(error: EcoError, locale: Locale, most: int, longest: int) -> error_details_pb2.BadRequest:
    listed = error.violations[:most]
    if unlisted := error.unlisted + len(error.violations) - len(listed):
        text = {Locale.KO: f"이 밖에 {unlisted}개 더 있어요", Locale.EN: f"and {unlisted} more"}
        listed = (*listed, FieldViolation("", "unlisted", text))
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=quoted(violation.field, longest),
                description=violation.text[Locale.EN],
                reason=violation.rule,
                localized_message=error_details_pb2.LocalizedMessage(locale=locale, message=violation.text[locale]),
            )
            for violation in listed
        ]
    )


def _pack(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
