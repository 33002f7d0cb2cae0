"""The API as an internal client uses it: generated stubs over a gRPC channel."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from eco2.scan.v1 import (
    operations_service_pb2,
    operations_service_pb2_grpc,
    scan_pb2,
    scan_service_pb2,
    scan_service_pb2_grpc,
)
from local.failures import ApiError, Disconnected
from local.following import Events, follow
from mesh.locale import Locale

_UNARY_SECONDS = 10.0
_WATCH_SECONDS = 600.0


class WatchClient:
    """Follows a user's scans.

    Args:
        channel: To the edge.
        token: The user's bearer token.
        locale: Language of texts and errors.
    """

    def __init__(self, channel: grpc.Channel, token: str, locale: Locale) -> None:
        self._stub = scan_service_pb2_grpc.ScanServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"), *_language(locale))
        self._locale = locale

    def follow(self, scan_id: str) -> Iterator[scan_pb2.Scan]:
        """Every state of the scan until its end; see `local.following.follow`."""
        return follow(lambda version: self._watch(scan_id, version))

    def _watch(self, scan_id: str, after_version: int) -> Events:
        request = scan_service_pb2.WatchScanRequest(scan_id=scan_id, after_version=after_version)
        with _answered(self._locale):
            yield from self._stub.WatchScan(request, timeout=_WATCH_SECONDS, metadata=self._metadata)


class OperationsClient:
    """What the people on duty do.

    Args:
        channel: To Scan itself: the edge doesn't serve operations.
        locale: Language of errors.
    """

    def __init__(self, channel: grpc.Channel, locale: Locale) -> None:
        self._stub = operations_service_pb2_grpc.OperationsServiceStub(channel)
        self._metadata = _language(locale)
        self._locale = locale

    def dead_letters(self, stage: str, page_size: int) -> list[operations_service_pb2.DeadLetter]:
        """Dead letters, longest dead first; of one stage, or of all when it is empty."""
        request = operations_service_pb2.ListDeadLettersRequest(stage=stage, page_size=page_size)
        with _answered(self._locale):
            reply = self._stub.ListDeadLetters(request, timeout=_UNARY_SECONDS, metadata=self._metadata)
        return list(reply.dead_letters)

    def replay(self, scan_id: str) -> str:
        """Queues a dead letter again.

        Returns:
            The stage it goes on from.
        """
        request = operations_service_pb2.ReplayScanRequest(scan_id=scan_id)
        with _answered(self._locale):
            return self._stub.ReplayScan(request, timeout=_UNARY_SECONDS, metadata=self._metadata).stage


def _language(locale: Locale) -> tuple[tuple[str, str], ...]:
    return (("accept-language", str(locale)),)


@contextmanager
def _answered(locale: Locale) -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        if isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.UNAVAILABLE:
            raise Disconnected(error.details() or "unavailable") from error
        raise ApiError.from_rpc(error, locale) from error
