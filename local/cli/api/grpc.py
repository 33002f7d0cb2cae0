"""The API as an internal client uses it: generated stubs over a gRPC channel."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from eco2.errors.v1.error_reason_pb2 import ErrorReason
from eco2.rules.v1 import (
    building_pb2,
    building_service_pb2,
    building_service_pb2_grpc,
    disposal_pb2,
    rules_service_pb2,
    rules_service_pb2_grpc,
)
from eco2.scan.v1 import (
    operations_service_pb2,
    operations_service_pb2_grpc,
    scan_pb2,
    scan_service_pb2,
    scan_service_pb2_grpc,
)
from eco2.vision.v1 import classification_pb2
from local.cli.api.errors import ApiError
from local.cli.api.watch import Events, follow
from mesh.locale import Locale
from mesh.reasons import Reason

_UNARY_SECONDS = 10.0
_WATCH_SECONDS = 600.0

Q = TypeVar("Q")
A = TypeVar("A")


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
        """Every state of the scan until its end; see `local.cli.api.watch.follow`."""
        return follow(lambda version: self._watch(scan_id, version))

    def _watch(self, scan_id: str, after_version: int) -> Events:
        request = scan_service_pb2.WatchScanRequest(scan_id=scan_id, after_version=after_version)
        with _answered(self._locale):
            yield from self._stub.WatchScan(request, timeout=_WATCH_SECONDS, metadata=self._metadata)


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
        channel: To Scan itself: the edge doesn't serve operations.
        locale: Language of errors.
    """

    def __init__(self, channel: grpc.Channel, locale: Locale) -> None:
        self._stub = operations_service_pb2_grpc.OperationsServiceStub(channel)
        self._metadata = _language(locale)
        self._locale = locale

    def dead_letters(self, wanted: DeadLetterFilter, page_size: int) -> list[operations_service_pb2.DeadLetter]:
        """The selected dead letters, longest dead first."""
        request = operations_service_pb2.ListDeadLettersRequest(page_size=page_size, **wanted.fields())
        return list(self._ask(self._stub.ListDeadLetters, request).dead_letters)

    def replay(self, scan_id: str) -> str:
        """Queues a dead letter again.

        Returns:
            The stage it goes on from.
        """
        request = operations_service_pb2.ReplayScanRequest(scan_id=scan_id)
        return self._ask(self._stub.ReplayScan, request).stage

    def replay_all(self, wanted: DeadLetterFilter, max_count: int) -> int:
        """Queues the selected dead letters again; returns how many."""
        request = operations_service_pb2.ReplayDeadLettersRequest(max_count=max_count, **wanted.fields())
        return self._ask(self._stub.ReplayDeadLetters, request).replayed_count

    def archive(self, scan_id: str) -> operations_service_pb2.DeadLetter:
        """Archives a dead letter; returns it as it is now."""
        request = operations_service_pb2.ArchiveScanRequest(scan_id=scan_id)
        return self._ask(self._stub.ArchiveScan, request).dead_letter

    def stats(self) -> operations_service_pb2.GetQueueStatsResponse:
        """The queue's state."""
        return self._ask(self._stub.GetQueueStats, operations_service_pb2.GetQueueStatsRequest())

    def deliveries(self, scan_id: str) -> list[operations_service_pb2.WebhookDelivery]:
        """A scan's webhooks with every try, oldest first."""
        request = operations_service_pb2.ListWebhookDeliveriesRequest(scan_id=scan_id)
        return list(self._ask(self._stub.ListWebhookDeliveries, request).deliveries)

    def redeliver(self, webhook_id: str) -> None:
        """Delivers a webhook again."""
        request = operations_service_pb2.RedeliverWebhookRequest(webhook_id=webhook_id)
        self._ask(self._stub.RedeliverWebhook, request)

    def _ask(self, rpc: "grpc.UnaryUnaryMultiCallable[Q, A]", request: Q) -> A:
        with _answered(self._locale):
            return rpc(request, timeout=_UNARY_SECONDS, metadata=self._metadata)


class RulesClient:
    """Calls RulesService.

    Args:
        channel: To the edge.
        token: The user's bearer token.
        locale: Language of texts and errors.
    """

    def __init__(self, channel: grpc.Channel, token: str, locale: Locale) -> None:
        self._stub = rules_service_pb2_grpc.RulesServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"), *_language(locale))
        self._locale = locale

    def places(self, request: rules_service_pb2.FindPlacesRequest) -> list[disposal_pb2.Place]:
        """The nearest places, nearest first."""
        with _answered(self._locale):
            return list(self._stub.FindPlaces(request, timeout=_UNARY_SECONDS, metadata=self._metadata).places)

    def find(self, name: str) -> list[rules_service_pb2.ItemMatch]:
        """The categories of that name, best first."""
        request = rules_service_pb2.SearchItemsRequest(q=name, locale=self._locale)
        with _answered(self._locale):
            return list(self._stub.SearchItems(request, timeout=_UNARY_SECONDS, metadata=self._metadata).items)

    def match(
        self, category: classification_pb2.Category, tags: Sequence[str], region: str, building: str = ""
    ) -> rules_service_pb2.MatchRulesResponse:
        """The rules for a category, in a situation, a region and a building."""
        request = rules_service_pb2.MatchRulesRequest(
            category=category, tags=tags, region=region, building=building, locale=self._locale
        )
        with _answered(self._locale):
            return self._stub.MatchRules(request, timeout=_UNARY_SECONDS, metadata=self._metadata)


class BuildingClient:
    """Keeps the user's buildings, and reads others.

    Args:
        channel: To the edge.
        token: The user's bearer token.
        locale: Language of texts and errors.
    """

    def __init__(self, channel: grpc.Channel, token: str, locale: Locale) -> None:
        self._stub = building_service_pb2_grpc.BuildingServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"), *_language(locale))
        self._locale = locale

    def create(self, building: building_pb2.Building) -> building_pb2.Building:
        """Creates a building."""
        return self._call(self._stub.CreateBuilding, building_service_pb2.CreateBuildingRequest(building=building))

    def get(self, code: str) -> building_pb2.Building:
        """The building with a code."""
        return self._call(self._stub.GetBuilding, building_service_pb2.GetBuildingRequest(code=code))

    def managed(self) -> list[building_pb2.Building]:
        """The user's own buildings."""
        return list(self._call(self._stub.ListBuildings, building_service_pb2.ListBuildingsRequest()).buildings)

    def update(self, building: building_pb2.Building) -> building_pb2.Building:
        """Replaces what a building says, by its code and etag."""
        request = building_service_pb2.UpdateBuildingRequest(code=building.code, building=building)
        return self._call(self._stub.UpdateBuilding, request)

    def delete(self, code: str) -> None:
        """Deletes a building, whatever it says now."""
        self._call(self._stub.DeleteBuilding, building_service_pb2.DeleteBuildingRequest(code=code))

    def _call(self, method: Callable[..., A], request: Message) -> A:
        with _answered(self._locale):
            return method(request, timeout=_UNARY_SECONDS, metadata=self._metadata)


def _language(locale: Locale) -> tuple[tuple[str, str], ...]:
    return (("accept-language", str(locale)),)


@contextmanager
def _answered(locale: Locale) -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise ApiError.from_rpc(error, locale) from error
