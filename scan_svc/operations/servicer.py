"""Operations over gRPC: for the people on duty. The contract stands in `operations_service.proto`."""

import base64
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.scan.v1 import operations_service_pb2_grpc
from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.jobs.dead_letters import DeadLetter, DeadLetters
from scan_svc.jobs.stats import QueueStatsReader
from scan_svc.operations import wire
from scan_svc.webhooks.store import WebhookStore

_DEFAULT = 50
_LIMIT = 500

# What PostgreSQL takes.
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_JobId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class OperationsServicer(operations_service_pb2_grpc.OperationsServiceServicer):
    """What waits, what died, and another try.

    Args:
        letters: The dead letters.
        stats_reader: Counts what waits.
        webhooks: The webhooks and their log.
    """

    def __init__(self, letters: DeadLetters, stats_reader: QueueStatsReader, webhooks: WebhookStore) -> None:
        self._letters = letters
        self._stats_reader = stats_reader
        self._webhooks = webhooks

    async def ListDeadLetters(self, request: pb.ListDeadLettersRequest, context: Any) -> pb.ListDeadLettersResponse:
        """Dead letters, longest dead first."""
        size = _bounded(request.page_size)
        after = _decode(request.page_token) if request.page_token else None
        letters = await self._letters.page(wire.dead_letter_filter(request), after, size + 1)
        return pb.ListDeadLettersResponse(
            dead_letters=[wire.dead_letter(letter) for letter in letters[:size]],
            next_page_token=_encode(letters[size - 1]) if len(letters) > size else "",
        )

    async def ReplayScan(self, request: pb.ReplayScanRequest, context: Any) -> pb.ReplayScanResponse:
        """Queues one dead letter again from the stage that failed."""
        return pb.ReplayScanResponse(stage=await self._letters.replay(request.scan_id))

    async def ReplayDeadLetters(
        self, request: pb.ReplayDeadLettersRequest, context: Any
    ) -> pb.ReplayDeadLettersResponse:
        """Queues the dead letters that match again, longest dead first."""
        count = await self._letters.replay_all(wire.dead_letter_filter(request), _bounded(request.max_count))
        return pb.ReplayDeadLettersResponse(replayed_count=count)

    async def ArchiveScan(self, request: pb.ArchiveScanRequest, context: Any) -> pb.ArchiveScanResponse:
        """Sets a dead letter aside for a person."""
        letter = await self._letters.archive(request.scan_id)
        return pb.ArchiveScanResponse(dead_letter=wire.dead_letter(letter))

    async def GetQueueStats(self, request: pb.GetQueueStatsRequest, context: Any) -> pb.GetQueueStatsResponse:
        """What waits at each stage, in pipeline order, and of webhooks."""
        return wire.queue_stats(await self._stats_reader.read())

    async def ListWebhookDeliveries(
        self, request: pb.ListWebhookDeliveriesRequest, context: Any
    ) -> pb.ListWebhookDeliveriesResponse:
        """A scan's webhooks and every try to deliver them."""
        records = await self._webhooks.deliveries(request.scan_id)
        return pb.ListWebhookDeliveriesResponse(deliveries=[wire.webhook_delivery(record) for record in records])

    async def RedeliverWebhook(self, request: pb.RedeliverWebhookRequest, context: Any) -> pb.RedeliverWebhookResponse:
        """Delivers a webhook again."""
        await self._webhooks.redeliver(request.webhook_id)
        return pb.RedeliverWebhookResponse()


def _bounded(count: int) -> int:
    return min(count or _DEFAULT, _LIMIT)


def _encode(letter: DeadLetter) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((letter.died_at, letter.job_id))).decode()


def _decode(token: str) -> tuple[datetime, int]:
    try:
        died_at, job_id = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[_Moment, _JobId])
        return died_at.astimezone(UTC), job_id
    except (ValueError, OverflowError, msgspec.DecodeError) as error:
        raise InvalidArgument(Reason.INVALID_PAGE_TOKEN) from error
