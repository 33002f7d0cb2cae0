"""Operations over gRPC: for the people on duty. The contract stands in `operations_service.proto`."""

from dataclasses import dataclass
from typing import Any

from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.scan.v1 import operations_service_pb2_grpc
from mesh.observability.users import Pseudonyms
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.stats import QueueStatsReader
from scan_svc.operations import audit, page_tokens, wire
from scan_svc.operations.model_spending import DaySpending
from scan_svc.operations.scan_records import ScanRecords
from scan_svc.operations.webhook_records import WebhookRecords
from scan_svc.scan_proto import canonical, timestamp
from scan_svc.webhooks.store import WebhookStore

_DEFAULT = 50
_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Records:
    """What operators look at.

    Attributes:
        scans: Scans, and what they went through.
        webhooks: Webhooks of all scans.
        spending: What models have cost today.
    """

    scans: ScanRecords
    webhooks: WebhookRecords
    spending: DaySpending


class OperationsServicer(operations_service_pb2_grpc.OperationsServiceServicer):
    """What waits, what died, and another try.

    Args:
        letters: The dead letters.
        stats_reader: Counts what waits.
        webhooks: The webhooks and their log.
        records: What else there is to look at.
        pseudonyms: What stands for users.
    """

    def __init__(
        self,
        letters: DeadLetters,
        stats_reader: QueueStatsReader,
        webhooks: WebhookStore,
        records: Records,
        pseudonyms: Pseudonyms,
    ) -> None:
        self._letters = letters
        self._stats_reader = stats_reader
        self._webhooks = webhooks
        self._records = records
        self._pseudonym = pseudonyms.of

    async def SearchScans(self, request: pb.SearchScansRequest, context: Any) -> pb.SearchScansResponse:
        """Scans that match, newest first."""
        after = page_tokens.identifier(request.page_token)
        scans, page = await self._records.scans.search(wire.scan_filter(request), after, _bounded(request.page_size))
        return pb.SearchScansResponse(
            scans=[wire.scan_summary(scan, self._pseudonym) for scan in scans],
            next_page_token=page_tokens.after(page.following),
            reached_time=timestamp(page.reached),
        )

    async def ListSlowestScans(self, request: pb.ListSlowestScansRequest, context: Any) -> pb.ListSlowestScansResponse:
        """The scans that took longest."""
        scans, page = await self._records.scans.slowest(*wire.creation_times(request), _bounded(request.page_size))
        return pb.ListSlowestScansResponse(
            scans=[wire.scan_summary(scan, self._pseudonym) for scan in scans],
            reached_time=timestamp(page.reached),
        )

    async def GetScanTimeline(self, request: pb.GetScanTimelineRequest, context: Any) -> pb.GetScanTimelineResponse:
        """What one scan went through."""
        scan_id = canonical(request.scan_id)
        timeline = await self._records.scans.timeline(scan_id)
        letter = await self._letters.find(scan_id)
        return pb.GetScanTimelineResponse(
            timeline=wire.timeline(timeline, self._pseudonym),
            dead_letter=wire.dead_letter(letter, self._pseudonym) if letter else None,
        )

    async def GetModelSpending(self, request: pb.GetModelSpendingRequest, context: Any) -> pb.GetModelSpendingResponse:
        """What models have cost today."""
        spending = self._records.spending
        return wire.model_spending(await spending.by_model(), spending.budget)

    async def ListDeadLetters(self, request: pb.ListDeadLettersRequest, context: Any) -> pb.ListDeadLettersResponse:
        """Dead letters, longest dead first."""
        size = _bounded(request.page_size)
        after = page_tokens.letter(request.page_token)
        letters = await self._letters.page(wire.dead_letter_filter(request), after, size + 1)
        return pb.ListDeadLettersResponse(
            dead_letters=[wire.dead_letter(letter, self._pseudonym) for letter in letters[:size]],
            next_page_token=page_tokens.after_letter(letters[size - 1]) if len(letters) > size else "",
        )

    async def ReplayScan(self, request: pb.ReplayScanRequest, context: Any) -> pb.ReplayScanResponse:
        """Queues one dead letter again from the stage that failed."""
        stage = await self._letters.replay(request.scan_id)
        audit.note(context, "dead letter replayed", scan_id=request.scan_id, stage=stage)
        return pb.ReplayScanResponse(stage=stage)

    async def ReplayDeadLetters(
        self, request: pb.ReplayDeadLettersRequest, context: Any
    ) -> pb.ReplayDeadLettersResponse:
        """Queues the dead letters that match again, longest dead first."""
        wanted = wire.dead_letter_filter(request)
        scan_ids = await self._letters.replay_all(wanted, _bounded(request.max_count))
        for scan_id in scan_ids:
            audit.note(context, "dead letter replayed", scan_id=scan_id, among=len(scan_ids))
        return pb.ReplayDeadLettersResponse(replayed_count=len(scan_ids))

    async def ArchiveScan(self, request: pb.ArchiveScanRequest, context: Any) -> pb.ArchiveScanResponse:
        """Sets a dead letter aside for a person."""
        letter = await self._letters.archive(request.scan_id)
        audit.note(context, "dead letter archived", scan_id=letter.scan_id, stage=letter.stage)
        return pb.ArchiveScanResponse(dead_letter=wire.dead_letter(letter, self._pseudonym))

    async def GetQueueStats(self, request: pb.GetQueueStatsRequest, context: Any) -> pb.GetQueueStatsResponse:
        """What waits at each stage, in pipeline order, and of webhooks."""
        return wire.queue_stats(await self._stats_reader.read())

    async def ListWebhookDeliveries(
        self, request: pb.ListWebhookDeliveriesRequest, context: Any
    ) -> pb.ListWebhookDeliveriesResponse:
        """A scan's webhooks and every try to deliver them."""
        records = await self._webhooks.deliveries(request.scan_id)
        return pb.ListWebhookDeliveriesResponse(deliveries=[wire.webhook_delivery(record) for record in records])

    async def ListWebhooks(self, request: pb.ListWebhooksRequest, context: Any) -> pb.ListWebhooksResponse:
        """Webhooks of all scans, newest first."""
        after = page_tokens.identifier(request.page_token)
        state = wire.delivery_state(request.state)
        records, page = await self._records.webhooks.search(state, after, _bounded(request.page_size))
        return pb.ListWebhooksResponse(
            webhooks=[wire.webhook_delivery(record) for record in records],
            next_page_token=page_tokens.after(page.following),
            reached_time=timestamp(page.reached),
        )

    async def RedeliverWebhook(self, request: pb.RedeliverWebhookRequest, context: Any) -> pb.RedeliverWebhookResponse:
        """Delivers a webhook again."""
        await self._webhooks.redeliver(request.webhook_id)
        audit.note(context, "webhook delivered again", webhook_id=request.webhook_id)
        return pb.RedeliverWebhookResponse()


def _bounded(count: int) -> int:
    return min(count or _DEFAULT, _LIMIT)
