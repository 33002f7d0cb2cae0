"""Operations over gRPC, at Scan's own port: the edge doesn't serve them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import status_pb2

from eco2.errors.v1.error_reason_pb2 import ErrorReason
from eco2.scan.v1 import operations_service_pb2, operations_service_pb2_grpc
from local.cli.api.errors import ApiError, ErrorText
from local.cli.session import required
from local.errors import Disconnected
from mesh.locale import Locale
from mesh.reasons import Reason

_SECONDS = 10.0
_TLS = ("ECO2_TLS_CERT", "ECO2_TLS_KEY", "ECO2_TLS_CA")
_SCAN = "eco2.scan.v1.ScanService"
_DETAILS = "grpc-status-details-bin"

Q = TypeVar("Q")
A = TypeVar("A")


def scan_channel(variables: Mapping[str, str]) -> grpc.Channel:
    """A channel to the Scan that variables name: all that operations take.

    By mutual TLS if there is a certificate, which must be an operator's.

    Raises:
        NoStack: They name none.
        Misconfigured: The certificate can't be used.
    """
    target = required(variables, "ECO2_SCAN_TARGET")
    if not any(variables.get(name) for name in _TLS):
        return grpc.insecure_channel(target)
    # Not at the top: with them come Pydantic and cryptography, which take longer to load than a call takes.
    from mesh.grpc.certificates import CertificateFiles, channel_credentials, expecting
    from mesh.settings import TlsFiles

    files = TlsFiles.given(variables)
    assert files is not None
    return grpc.secure_channel(target, channel_credentials(CertificateFiles(files).current()), expecting(_SCAN))


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Selects dead letters.

    Attributes:
        stage: Only of this stage; all when empty.
        reason: Only with this reason; all when None.
        min_age: Only those dead for at least so many seconds.
        archived: Those that wait for an operator, instead of those that are replayed automatically.
    """

    stage: str = ""
    reason: Reason | None = None
    min_age: int = 0
    archived: bool = False

    def fields(self) -> dict[str, Any]:
        """The filter as fields of a request."""
        letter = operations_service_pb2.DeadLetter
        return {
            "stage": self.stage,
            "reason": ErrorReason.Value(f"ERROR_REASON_{self.reason}") if self.reason else None,
            "min_age": Duration(seconds=self.min_age),
            "state": letter.STATE_ARCHIVED if self.archived else letter.STATE_DEAD,
        }


class OperationsClient:
    """Calls OperationsService.

    Args:
        channel: To Scan itself.
        locale: Language of errors.
    """

    def __init__(self, channel: grpc.Channel, locale: Locale) -> None:
        self._stub = operations_service_pb2_grpc.OperationsServiceStub(channel)
        self._metadata = (("accept-language", str(locale)),)
        self._locale = locale

    def dead_letters(self, wanted: DeadLetterFilter, page_size: int) -> operations_service_pb2.ListDeadLettersResponse:
        """The selected dead letters, longest dead first."""
        request = operations_service_pb2.ListDeadLettersRequest(page_size=page_size, **wanted.fields())
        return self._ask(self._stub.ListDeadLetters, request)

    def replay(self, scan_id: str) -> operations_service_pb2.ReplayScanResponse:
        """Queues a dead letter again; returns the stage it goes on from."""
        request = operations_service_pb2.ReplayScanRequest(scan_id=scan_id)
        return self._ask(self._stub.ReplayScan, request)

    def replay_all(self, wanted: DeadLetterFilter, max_count: int) -> operations_service_pb2.ReplayDeadLettersResponse:
        """Queues the selected dead letters again; returns how many."""
        request = operations_service_pb2.ReplayDeadLettersRequest(max_count=max_count, **wanted.fields())
        return self._ask(self._stub.ReplayDeadLetters, request)

    def archive(self, scan_id: str) -> operations_service_pb2.ArchiveScanResponse:
        """Archives a dead letter; returns it as it is now."""
        request = operations_service_pb2.ArchiveScanRequest(scan_id=scan_id)
        return self._ask(self._stub.ArchiveScan, request)

    def stats(self) -> operations_service_pb2.GetQueueStatsResponse:
        """The queue's state."""
        return self._ask(self._stub.GetQueueStats, operations_service_pb2.GetQueueStatsRequest())

    def deliveries(self, scan_id: str) -> operations_service_pb2.ListWebhookDeliveriesResponse:
        """A scan's webhooks with every try, oldest first."""
        request = operations_service_pb2.ListWebhookDeliveriesRequest(scan_id=scan_id)
        return self._ask(self._stub.ListWebhookDeliveries, request)

    def redeliver(self, webhook_id: str) -> None:
        """Delivers a webhook again."""
        request = operations_service_pb2.RedeliverWebhookRequest(webhook_id=webhook_id)
        self._ask(self._stub.RedeliverWebhook, request)

    def _ask(self, rpc: "grpc.UnaryUnaryMultiCallable[Q, A]", request: Q) -> A:
        with answered(self._locale):
            return rpc(request, timeout=_SECONDS, metadata=self._metadata)


def refusal(error: grpc.RpcError, locale: Locale) -> ApiError:
    """What a failed gRPC call carries.

    Raises:
        Disconnected: The API is there but can't serve for the moment, or isn't there; a retry may succeed.
    """
    if not isinstance(error, grpc.Call):
        return ApiError(ErrorText("UNKNOWN", str(error)))
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        raise Disconnected(error.details() or "unavailable") from error
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            return ApiError(ErrorText.of(status_pb2.Status.FromString(value), locale))
    return ApiError(ErrorText(error.code().name, error.details() or ""))


@contextmanager
def answered(locale: Locale) -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise refusal(error, locale) from error
