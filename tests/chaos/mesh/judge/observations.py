"""Everything that is known after a run, from witnesses that don't rest on the mesh's own word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from scan_svc.events.events import Event as LogEvent
from tests.chaos.mesh.clients.histories import History
from tests.chaos.mesh.fault_injector import Hit
from tests.chaos.mesh.judge.jobs_left import JobsLeft
from tests.chaos.mesh.judge.photos import PhotosLeft
from tests.chaos.mesh.plan import SERVICES
from tests.chaos.mesh.webhook_receiver import Delivery
from tests.chaos.observations import Commit, Ending, Handover, Told
from tests.support.scan import journal
from tests.support.scan.journal import Entry

# The longest blow of a plan is shorter, and so is a start; the deadline of one try is as long.
_SLOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """All of it.

    Attributes:
        histories: What each client was told.
        calls: The model's journal; a scan is named there by its photo's number.
        numbers: Photo number of each scan.
        commits: When each stage's result was committed, by a trigger in the database.
        handovers: Who held which scan, by another.
        endings: How scans ended, each time they did, by another.
        states: What the database says of each scan in the end.
        errors: Why scans failed that have.
        callbacks: Scans that asked for a webhook.
        deliveries: What the webhooks' receiver got; None when webhooks couldn't be received here.
        photos: What is left in storage, and what strangers see of it.
        jobs: What became of jobs, and what is left of them.
        told: The events, in the order in which a consumer has read them meanwhile; None if there was none.
        logged: The ids of all events that were written.
        hits: What was done to the mesh.
        lease_seconds: How long a silent worker keeps its scans.
        origin: The monotonic clock at the start.
        skipped: What couldn't be done or judged here, and why.
    """

    histories: Sequence[History]
    calls: Sequence[Entry] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)
    commits: Sequence[Commit] = ()
    handovers: Sequence[Handover] = ()
    endings: Sequence[Ending] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    callbacks: frozenset[str] = frozenset()
    deliveries: Sequence[Delivery] | None = None
    photos: PhotosLeft = field(default_factory=lambda: PhotosLeft(()))
    jobs: JobsLeft = field(default_factory=JobsLeft)
    told: Sequence[Told] | None = None
    logged: frozenset[int] = frozenset()
    hits: Sequence[Hit] = ()
    lease_seconds: float = 5.0
    origin: float = 0.0
    skipped: Mapping[str, str] = field(default_factory=dict)

    def too_slow(self, at: float) -> bool:
        """Whether the machine is at fault for a failure: a service took a minute to start again about then."""
        slow = [hit for hit in self.hits if hit.target in SERVICES and hit.until - hit.at > _SLOW_SECONDS]
        return any(hit.at <= at <= hit.until + _SLOW_SECONDS for hit in slow)


async def collect(
    connection: asyncpg.Connection,
    journals: Path,
    histories: Sequence[History],
    deliveries: Sequence[Delivery] | None,
    photos: PhotosLeft,
    jobs: JobsLeft,
    events: Sequence[LogEvent],
    hits: Sequence[Hit],
    lease_seconds: float,
    origin: float,
    skipped: Mapping[str, str],
) -> Observations:
    """Reads what all witnesses have to say, once everything has settled."""
    scans = await connection.fetch("select id::text, state, request_id, callback_url, error::text from scan.scan")
    return Observations(
        histories=histories,
        calls=tuple(journal.read(journals)),
        numbers={
            **{row["id"]: row["request_id"].partition("-")[2] for row in scans if row["request_id"]},
            **jobs.numbers,
        },
        commits=[
            *(Commit(*row) for row in await connection.fetch("select * from chaos.commits order by at")),
            *jobs.looks,
        ],
        handovers=[
            *(Handover(*row) for row in await connection.fetch("select * from chaos.handovers order by at")),
            *jobs.handovers,
        ],
        endings=[Ending(*row) for row in await connection.fetch("select * from chaos.endings order by at")],
        states={row["id"]: row["state"] for row in scans},
        errors={row["id"]: row["error"] for row in scans if row["error"]},
        callbacks=frozenset(row["id"] for row in scans if row["callback_url"]),
        deliveries=deliveries,
        photos=photos,
        jobs=jobs,
        told=[
            Told(one.id, one.subject, one.type, one.data.get("stage", ""), f"{one.kind} {one.data['job_id']}")
            for one in events
        ],
        logged=frozenset(row["id"] for row in await connection.fetch("select id from scan.event")),
        hits=sorted(hits, key=lambda hit: hit.at),
        lease_seconds=lease_seconds,
        origin=origin,
        skipped=skipped,
    )
