"""Everything that is known after a chaos run, from three witnesses that don't depend on the engine's own word.

The journals say what the stages did, triggers in the database say what was committed, and the tormentor says whom it
hit and when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import asyncpg

from scan_svc.events.events import Event as LogEvent
from tests.support.scan import journal
from tests.support.scan.journal import Entry, Event

_UNDELIVERED = """
select id from scan.webhook w
where not exists (select from scan.webhook_attempt a where a.webhook_id = w.id and a.status between 200 and 299)
"""
_REWARDLESS = """
select id from scan.scan s
where state = 'SUCCEEDED' and jsonb_typeof(outputs -> 'reward') is distinct from 'object'
  and not exists (select from scan.job j where j.kind = 'reward' and j.ref = s.id)
"""
_AUDIT = Path(__file__).with_name("audit.sql")


class Blow(StrEnum):
    """What is done to the system."""

    KILL = "kill -9 of a worker"
    FREEZE = "a worker frozen beyond its lease"
    TERMINATE = "SIGTERM to a worker"
    POSTGRES = "PostgreSQL restarted immediately"
    CRASH = "a PostgreSQL backend killed, recovery"
    VALKEY = "Valkey killed"
    FLUSH = "Valkey emptied"
    POISON = "a worker killed by a scan"


# From these on a process may have lost what it had in hand.
FATAL = frozenset({Blow.KILL, Blow.FREEZE, Blow.TERMINATE, Blow.POISON})
OUTAGES = frozenset({Blow.POSTGRES, Blow.CRASH})


@dataclass(frozen=True, slots=True)
class Hit:
    """One blow.

    Attributes:
        blow: What.
        at: When.
        until: When it was over: thawed, answering again, or aware that it is to leave.
        pid: Which worker process; 0 when it hit a store.
    """

    blow: Blow
    at: float
    until: float
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Submitted:
    """A scan that was accepted.

    Attributes:
        poison: It kills whoever runs it.
        callback: It asked for a webhook.
    """

    poison: bool = False
    callback: bool = True


@dataclass(frozen=True, slots=True)
class Handover:
    """A job changed hands: its token rose."""

    scan_id: str
    token: int
    state: str
    worker_id: int | None
    at: float


@dataclass(frozen=True, slots=True)
class Commit:
    """A stage's result was committed."""

    scan_id: str
    stage: str
    token: int
    at: float


@dataclass(frozen=True, slots=True)
class Ending:
    """A scan became terminal."""

    scan_id: str
    state: str
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """An event, as a consumer has read it."""

    id: int
    scan_id: str
    type: str
    stage: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """All of it.

    Attributes:
        lease_seconds: The lease the workers had.
        submitted: What was accepted, by scan.
        entries: The journals.
        handovers: Who held what.
        commits: What was stored; the last stage's is its scan's success.
        endings: How scans ended, each time they did.
        states: What the database says of each scan in the end.
        archived: Scans archived in the end.
        rewardless: Scans that succeeded and have neither a reward nor a job that evaluates it.
        webhooks: Pairs of scan and event that have a webhook.
        undelivered: Webhooks whose receiver hasn't been told, although it always answers.
        hits: What was done to the system.
        told: The events, in the order in which a consumer has read them meanwhile.
        logged: The ids of all events that were written.
    """

    lease_seconds: float
    submitted: Mapping[str, Submitted]
    entries: Sequence[Entry]
    handovers: Sequence[Handover] = ()
    commits: Sequence[Commit] = ()
    endings: Sequence[Ending] = ()
    states: Mapping[str, str]
    archived: frozenset[str] = frozenset()
    rewardless: Sequence[str] = ()
    webhooks: Sequence[tuple[str, str]] = ()
    undelivered: Sequence[str] = ()
    hits: Sequence[Hit] = ()
    told: Sequence[Told] = ()
    logged: frozenset[int] = frozenset()


async def install_audit(connection: asyncpg.Connection) -> None:
    """Adds the triggers that tell what was committed, and when."""
    await connection.execute(_AUDIT.read_text(encoding="utf-8"))


async def collect(
    connection: asyncpg.Connection,
    folder: Path,
    submitted: Mapping[str, Submitted],
    hits: Sequence[Hit],
    lease_seconds: float,
    events: Sequence[LogEvent] = (),
) -> Observations:
    """Reads what all witnesses have to say, once everything has settled."""
    entries = tuple(journal.read(folder))
    poisonings = [Hit(Blow.POISON, one.at, one.at, one.pid) for one in entries if one.event is Event.POISONED]
    # A signal is heard when the process comes to it; what it begins before is in flight like the rest.
    heard = {one.pid: one.at for one in entries if one.event is Event.LEAVING}
    hits = [replace(hit, until=heard.get(hit.pid, hit.until)) if hit.blow is Blow.TERMINATE else hit for hit in hits]
    return Observations(
        lease_seconds=lease_seconds,
        submitted=submitted,
        entries=entries,
        handovers=[Handover(*row) for row in await connection.fetch("select * from chaos.handovers order by at")],
        commits=[Commit(*row) for row in await connection.fetch("select * from chaos.commits order by at")],
        endings=[Ending(*row) for row in await connection.fetch("select * from chaos.endings order by at")],
        states={str(row["id"]): row["state"] for row in await connection.fetch("select id, state from scan.scan")},
        archived=frozenset(
            str(row["ref"]) for row in await connection.fetch("select ref from scan.job where state = 'ARCHIVED'")
        ),
        rewardless=[str(row["id"]) for row in await connection.fetch(_REWARDLESS)],
        webhooks=[(str(row[0]), row[1]) for row in await connection.fetch("select scan_id, event from scan.webhook")],
        undelivered=[str(row["id"]) for row in await connection.fetch(_UNDELIVERED)],
        told=[
            Told(one.id, one.subject, one.type, one.data.get("stage", ""), f"{one.kind} {one.data['job_id']}")
            for one in events
        ],
        logged=frozenset(row["id"] for row in await connection.fetch("select id from scan.event")),
        hits=sorted((*hits, *poisonings), key=lambda hit: hit.at),
    )
