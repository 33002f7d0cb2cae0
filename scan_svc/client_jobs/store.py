"""Client jobs in PostgreSQL: a row, and its job until it has ended.

Transaction contract: as of scans. A state change and the job that follows from it are one statement; what takes a job
away from a worker waits for the job's row first. Every write of a worker carries the job's token: one that comes late
changes no row, and raises `Fenced`.
"""

import functools
from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
from msgspec.structs import replace
from uuid_utils.compat import UUID

from mesh.errors import AlreadyExists, NotFound, ResourceExhausted
from mesh.locale import Locale
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.client_jobs.client_jobs import ClientJob, ClientLease, File, JobRequest, Upload
from scan_svc.jobs.leases import Fenced
from scan_svc.jobs.queue import SUSPECT_CRASHES
from scan_svc.rows import FAULT, failure_from, readable, to_json
from scan_svc.scans import Failure, State

# Somebody else's job of the same kind may end at any moment.
_LIMIT_PAUSE = 30.0
_UNREADABLE_PAUSE = 10.0
_UNREADABLE_SECONDS = 300.0


class ClientJobStore:
    """The client jobs of all users.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.client_jobs", "scan_svc.jobs")

    async def create(
        self, job_id: str, request: JobRequest, upload: Upload | None, traceparent: str, most_live: int
    ) -> tuple[ClientJob, bool]:
        """Stores a new client job, queued unless its file is still to come.

        Args:
            job_id: Its id.
            request: What is asked for.
            upload: The file to come.
            traceparent: The trace that its work goes on with.
            most_live: How many of this kind the user may have that haven't ended.

        Returns:
            The job, and whether it is new: else it is the one that this request has made before.

        Raises:
            AlreadyExists: The user's request_id belongs to a job with another content.
            ResourceExhausted: The user has as many as they may.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql["lock_user"], request.user_id)
            earlier = await self._made_before(connection, request)
            if earlier is None:
                live = await connection.fetchval(self._sql["count_live"], request.user_id, request.kind)
                if live >= most_live:
                    raise ResourceExhausted(
                        Reason.JOB_LIMIT, kind=request.kind, most=most_live, retry_after=_LIMIT_PAUSE
                    )
                file = upload or Upload("", "", 0)
                await connection.fetchval(
                    self._sql["create"], job_id, request.user_id, request.request_id, request.payload_hash,
                    request.kind, upload is not None, to_json(request.spec), request.locale.value, file.object_key,
                    file.content_type, file.size_bytes, file.sha256, traceparent,
                )  # fmt: skip
        return await self.get(earlier or job_id), earlier is None

    async def made_before(self, request: JobRequest) -> ClientJob | None:
        """The job that the same request has made before; None if it hasn't. Raises as `create` does."""
        earlier = await self._made_before(self._pool, request)
        return await self.get(earlier) if earlier else None

    async def get(self, job_id: str) -> ClientJob:
        """One client job, whoever's it is.

        Raises:
            NotFound: There is none.
        """
        found = (await self.get_many((job_id,))).get(job_id)
        if found is None:
            raise NotFound(Reason.JOB_NOT_FOUND, job_id=job_id)
        if isinstance(found, Exception):
            raise found
        return found

    async def get_many(self, job_ids: Sequence[str]) -> dict[str, ClientJob | Exception]:
        """Those of the client jobs that exist, by id, whoever's they are; of one that can't be read, why."""
        rows = await self._pool.fetch(self._sql["get_many"], job_ids)
        return {str(row["id"]): _read(row) for row in rows}

    async def page(self, user_id: str, before: UUID | None, size: int, kind: str = "") -> tuple[list[ClientJob], str]:
        """A user's client jobs older than `before`, newest first.

        Returns:
            The jobs, without those that can't be read; and the id of the page's last one, empty if none follow.
        """
        rows = await self._pool.fetch(self._sql["list"], user_id, before, size + 1, kind)
        jobs, _ = readable(rows[:size], _job)
        return jobs, str(rows[size - 1]["id"]) if len(rows) > size else ""

    async def start(self, job_id: str, traceparent: str, etag: str) -> bool:
        """Queues a client job whose file has come; False if it wasn't waiting for one any more."""
        return await self._pool.fetchval(self._sql["start"], job_id, traceparent, etag) is not None

    async def cancel(self, job_id: str) -> bool:
        """Cancels a client job and fences its worker; False if it had finished."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql["lock_job"], job_id)
            await connection.execute(self._sql["lock_client_job"], job_id)
            return await connection.fetchval(self._sql["cancel"], job_id) is not None

    async def remove_hidden_scans(self, job_id: str, count: int) -> int:
        """Removes up to so many scans that only this job shows; returns how many."""
        status = await self._pool.execute(self._sql["remove_hidden_scans"], job_id, count)
        return int(status.rpartition(" ")[2])

    async def remove(self, job_id: str) -> bool:
        """Removes a client job with its job; False if it was gone."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql["lock_job"], job_id)
            return await connection.fetchval(self._sql["remove"], job_id) is not None

    async def of_user(self, user_id: str, count: int) -> list[str]:
        """Up to so many of a user's client jobs, the oldest first."""
        return _ids(await self._pool.fetch(self._sql["of_user"], user_id, count))

    async def transfer(self, from_user: str, to_user: str) -> list[str]:
        """Gives a user's client jobs to another one; returns them. Those at work begin again from their checkpoints."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql["lock_jobs_of"], from_user)
            return _ids(await connection.fetch(self._sql["transfer"], from_user, to_user))

    async def expire_uploads(self, after_seconds: float) -> list[str]:
        """Ends client jobs whose file never came; returns them."""
        return _ids(await self._pool.fetch(self._sql["expire_uploads"], after_seconds))

    async def expired_files(self, after_seconds: float, count: int) -> list[str]:
        """Up to so many client jobs whose file has been there for longer."""
        return _ids(await self._pool.fetch(self._sql["expired_files"], after_seconds, count))

    async def forget_file(self, job_id: str) -> None:
        """The file of a client job is gone."""
        await self._pool.execute(self._sql["forget_file"], job_id)

    async def expired(self, days: int, count: int) -> list[str]:
        """Up to so many client jobs that ended longer ago."""
        return _ids(await self._pool.fetch(self._sql["expired"], days, count))

    async def gone_with_scans(self, count: int) -> list[str]:
        """Up to so many client jobs that are gone while hidden scans of theirs are left."""
        return _ids(await self._pool.fetch(self._sql["gone_with_scans"], count))

    async def needed_files(self, job_ids: Collection[str]) -> dict[str, str | None]:
        """The file that is needed of each of these jobs: "" if none is, None if all may be. Of those that there are."""
        rows = await self._pool.fetch(self._sql["needed_files"], list(job_ids))
        return {str(row["id"]): row["file_key"] for row in rows}

    async def claim(
        self,
        kind: str,
        worker_id: int,
        count: int,
        full: Collection[str] = (),
        crashes: tuple[int, int] = (0, SUSPECT_CRASHES - 1),
    ) -> list[ClientLease]:
        """Takes client jobs of a kind that are due, and none of the users in `full`."""
        rows = await self._pool.fetch(self._sql["claim"], worker_id, count, *crashes, list(full), kind)
        leases, unreadable = readable(rows, functools.partial(_lease, worker_id=worker_id))
        for row in unreadable:
            await self._set_aside(row)
        return leases

    async def count_suspects(self, kind: str) -> int:
        """How many jobs of a kind are due that were in several crashes."""
        count: int = await self._pool.fetchval(self._sql["count_suspects"], kind)
        return count

    async def checkpoint(self, lease: ClientLease, job: ClientJob, cursor: str, *, renew: bool = False) -> ClientLease:
        """Keeps how far a client job is.

        Args:
            lease: The lease.
            job: The job as readers see it from now on.
            cursor: What to go on with, as JSON.
            renew: Whether the token is to be raised, since no greater versions go with it.

        Returns:
            The lease to go on with.

        Raises:
            Fenced: The job has changed hands, or is gone.
        """
        row = await self._write(
            "checkpoint", lease, job.version, job.percent, job.step, job.done, job.total, cursor, job.cost_micro_usd,
            lease.worker_id, int(renew),
        )  # fmt: skip
        return replace(
            lease, token=row["token"], cursor=cursor, job=replace(job, version=max(job.version, row["version"]))
        )

    async def finish(self, lease: ClientLease, job: ClientJob) -> None:
        """Ends a client job well. Raises as `checkpoint` does."""
        file = job.file or File("", 0)
        await self._write(
            "finish", lease, job.version, job.done, job.total, job.result or "null", file.object_key, file.size_bytes,
            job.cost_micro_usd,
        )  # fmt: skip

    async def fail(self, lease: ClientLease, failure: Failure, *, replayable: bool) -> None:
        """Fails a client job for good. Raises as `checkpoint` does."""
        await self._write("fail", lease, to_json(failure), "DEAD" if replayable else "ARCHIVED")

    async def retry(self, lease: ClientLease, failure: Failure, delay: float, *, counts: bool = True) -> None:
        """Puts a client job back for another try in so many seconds. Raises as `checkpoint` does."""
        await self._write("retry", lease, to_json(failure), delay, to_json(None), int(not counts), 0)

    async def release(self, lease: ClientLease, delay: float = 0.0) -> None:
        """Returns a client job untried, to be taken in so many seconds. Raises as `checkpoint` does."""
        await self._write("release", lease, delay)

    async def _made_before(self, connection: Any, request: JobRequest) -> str | None:
        if not request.request_id:
            return None
        earlier = await connection.fetchrow(self._sql["find_by_request"], request.user_id, request.request_id)
        if earlier is None:
            return None
        job_id = str(earlier["id"])
        if earlier["payload_hash"] != request.payload_hash:
            raise AlreadyExists(Reason.JOB_REQUEST_ID_REUSED, request_id=request.request_id, job_id=job_id)
        return job_id

    async def _set_aside(self, row: asyncpg.Record) -> None:
        """Puts a job that can't be read back for a worker that can; if none has come for long, it failed."""
        key = row["job_id"], row["token"]
        if row["age"] < _UNREADABLE_SECONDS:
            await self._pool.execute(self._sql["release"], *key, _UNREADABLE_PAUSE)
        else:
            await self._pool.execute(self._sql["fail"], *key, to_json(FAULT), "DEAD")

    async def _write(self, query: str, lease: ClientLease, *arguments: object) -> asyncpg.Record:
        row = await self._pool.fetchrow(self._sql[query], lease.job_id, lease.token, *arguments)
        if row is None:
            raise Fenced
        return row


def _read(row: asyncpg.Record) -> ClientJob | Exception:
    jobs, _ = readable((row,), _job)
    return jobs[0] if jobs else FAULT.error()


def _job(row: asyncpg.Record) -> ClientJob:
    key, file_key, result = row["object_key"], row["file_key"], row["result"]
    return ClientJob(
        job_id=str(row["id"]),
        user_id=row["user_id"],
        kind=row["kind"],
        state=State(row["state"]),
        version=row["version"],
        spec=row["spec"],
        locale=Locale(row["locale"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        percent=row["percent"],
        step=row["step"],
        done=row["done"],
        total=row["total"],
        upload=Upload(key, row["content_type"], row["size_bytes"], row["sha256"], row["etag"]) if key else None,
        result=result if result and result != "null" else "",
        file=File(file_key, row["file_bytes"]) if file_key else None,
        cost_micro_usd=row["cost_micro_usd"],
        error=failure_from(row["error"]) if row["error"] else None,
        behind=row["behind"],
    )


def _lease(row: asyncpg.Record, worker_id: int) -> ClientLease:
    return ClientLease(
        row["job_id"], row["token"], row["attempt"], worker_id, row["traceparent"] or "", row["age"], _job(row),
        row["cursor"] or "",
    )  # fmt: skip


def _ids(rows: Sequence[asyncpg.Record]) -> list[str]:
    return [str(row["id"]) for row in rows]
