"""Webhooks of all scans, as operators see them; what a page looks at is bounded as it is for scans."""

import uuid

import asyncpg

from mesh.postgres import Queries
from scan_svc.operations.pages import LOOKED_AT, Page, Span
from scan_svc.webhooks.message import DeliveryRecord, DeliveryState
from scan_svc.webhooks.store import WebhookStore

# Of each webhook in a list.
_TRIES = 3
# Webhooks in these have a job: they are found among jobs, of which there are few.
_WITH_JOBS = frozenset({DeliveryState.PENDING, DeliveryState.EXHAUSTED})


class WebhookRecords:
    """Reads webhooks for operators.

    Args:
        pool: Connections.
        webhooks: The webhooks with their log.
    """

    def __init__(self, pool: asyncpg.Pool, webhooks: WebhookStore) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.operations")
        self._webhooks = webhooks

    async def search(
        self, state: DeliveryState | None, after: uuid.UUID | None, size: int
    ) -> tuple[list[DeliveryRecord], Page]:
        """Up to `size` webhooks, in a state or in any, newest first, that are older than `after`."""
        before, looked_at = Span.between(None, None, after).before, LOOKED_AT if state else size + 1
        query = "webhooks_with_jobs" if state in _WITH_JOBS else "webhooks_by_time"
        row = await self._pool.fetchrow(self._sql[query], before, state or "", size + 1, looked_at)
        page = Page.of(row, size, looked_at)
        records = await self._webhooks.records(page.ids, _TRIES)
        return sorted(records, key=lambda record: record.webhook_id, reverse=True), page
