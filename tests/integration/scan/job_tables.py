"""Scans and jobs as a long day leaves them, written straight into the tables."""

import json
from typing import Any

import asyncpg

from mesh.errors import Unavailable
from mesh.reasons import Reason
from scan_svc.scans import Failure

UNAVAILABLE = Failure.of(Unavailable(Reason.UNAVAILABLE, peer="model"))

_SCAN = """
insert into scan.scan (id, user_id, payload_hash, state, version, image_url, object_key, content_type, size_bytes,
                       sha256, user_input, region, locale, step, error, created_at, started_at, finished_at)
select uuidv7(age), $4, '', $1, 1, '', '', '', 0, '', '', '', 'ko', 'queue', $2::jsonb, now() + age, now() + age,
       case when $1 <> 'QUEUED' then now() + age end
from (select make_interval(days => -$3::integer)) as given (age)
returning id
"""
_JOB = """
insert into scan.job (kind, ref, state, stage, attempt, crashes, replays, worker_id, last_error, run_at)
values ($1, $2, $3, $4, 3, $5, $6, $7, $8::jsonb, now() - make_interval(secs => $9))
"""


class Jobs:
    """The tables.

    Args:
        database: A pool or a connection.
    """

    def __init__(self, database: asyncpg.Pool | asyncpg.Connection) -> None:
        self.database: Any = database

    async def scan(
        self, state: str = "SUCCEEDED", error: str | None = None, *, days: int = 0, user: str = "user"
    ) -> str:
        """A scan that was created, and unless it is QUEUED finished, so many days ago."""
        return str(await self.database.fetchval(_SCAN, state, error, days, user))

    async def add(
        self,
        state: str = "DEAD",
        stage: str = "answer",
        failure: Failure = UNAVAILABLE,
        *,
        kind: str = "scan",
        age: float = 60,
        days: int = 0,
        crashes: int = 0,
        replays: int = 0,
        worker_id: int | None = None,
    ) -> str:
        """A scan with a job that died, or is due, since `age` seconds; returns the scan's id.""" ""
        dead = state in ("DEAD", "ARCHIVED")
        error = {"kind": failure.kind, "reason": failure.reason, "metadata": dict(failure.metadata)}
        text = json.dumps(error) if dead else None
        scan_id = await self.scan("FAILED" if dead else "QUEUED", text, days=days)
        await self.database.execute(_JOB, kind, scan_id, state, stage, crashes, replays, worker_id, text, age)
        return scan_id

    async def result(self, scan_id: str, stage: str) -> None:
        """What a stage of a scan produced."""
        run = json.dumps({"stage": stage, "attempts": 1, "duration_ms": 5})
        await self.database.execute(
            "insert into scan.stage_result (job_id, stage, token, output, run)"
            " select id, $2, token, '[]', $3::jsonb from scan.job where kind = 'scan' and ref = $1",
            scan_id, stage, run,
        )  # fmt: skip

    async def webhook(self, scan_id: str, state: str) -> str:
        """A scan's webhook that was tried once, and its job; returns the webhook's id."""
        insert = "insert into scan.webhook (id, scan_id, event) values (uuidv7(), $1, 'scan.failed') returning id"
        webhook_id = str(await self.database.fetchval(insert, scan_id))
        await self.database.execute(
            "insert into scan.webhook_attempt (webhook_id, attempt, error, duration_ms) values ($1, 1, 'http 503', 7)",
            webhook_id,
        )
        await self.database.execute(_JOB, "webhook", webhook_id, state, "deliver", 0, 0, None, None, 0)
        return webhook_id

    async def of(self, scan_id: str) -> asyncpg.Record:
        """A scan's job."""
        row: asyncpg.Record = await self.database.fetchrow("select * from scan.job where ref = $1", scan_id)
        return row

    async def refs(self, condition: str) -> set[str]:
        """Refs of the jobs that meet a condition."""
        return {str(row["ref"]) for row in await self.database.fetch(f"select ref from scan.job where {condition}")}
