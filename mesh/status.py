"""The one table between our errors and `google.rpc.Status`, in both directions."""

from collections.abc import Mapping
from types import MappingProxyType

import grpc
import structlog
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from mesh.errors import (
    Aborted,
    AlreadyExists,
    DeadlineExceeded,
    EcoError,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    Reason,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from mesh.locale import Locale

_log = structlog.get_logger("status")

DOMAIN = "eco2.app"
DETAILS_HEADER = "grpc-status-details-bin"

CODES: Mapping[type[EcoError], grpc.StatusCode] = MappingProxyType(
    {
        InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
        NotFound: grpc.StatusCode.NOT_FOUND,
        FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
        AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
        Aborted: grpc.StatusCode.ABORTED,
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
        A Status with ErrorInfo, then BadRequest (bad fields), RetryInfo (retryable) and the LocalizedMessages.
    """
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    status = status_pb2.Status(code=CODES[type(error)].value[0], message=error.text(Locale.EN), details=[_pack(info)])
    if error.violations:
        status.details.append(_pack(_bad_request(error, locales[0])))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(round(error.retry_after * 1e9))
        status.details.append(_pack(error_details_pb2.RetryInfo(retry_delay=delay)))
    for locale in locales:
        text = error_details_pb2.LocalizedMessage(locale=locale, message=error.text(locale))
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
            return to_error(status_pb2.Status.FromString(value))
    # No details: the transport spoke, not the service.
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


def _bad_request(error: EcoError, locale: Locale) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=violation.field,
                description=violation.text[Locale.EN],
                reason=violation.rule,
                localized_message=error_details_pb2.LocalizedMessage(locale=locale, message=violation.text[locale]),
            )
            for violation in error.violations
        ]
    )


def _pack(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
