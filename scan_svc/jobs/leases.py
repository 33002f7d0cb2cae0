"""Jobs that are held: what a worker knows of one, and what it writes about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self, TypeAlias

import asyncpg
import msgspec

from scan_svc.mirrors.vision import Usage
from scan_svc.scans import Scan, StageRun

# What tells the outcomes of jobs apart: a job and the token it is written with.
Key: TypeAlias = tuple[int, int]

# The kinds of job, as in the job table.
SCAN_KIND, WEBHOOK_KIND, REWARD_KIND, EXPORT_KIND = "scan", "webhook", "reward", "export"


class Fenced(Exception):
    """Somebody else has the job now: stop, and write nothing."""


class Lease(msgspec.Struct, frozen=True):
    """One scan job, held by this worker.

    Attributes:
        job_id: Which job.
        token: What every write of this lease carries.
        stage: The stage to go on from.
        attempt: Which try of that stage this is, from 1.
        age: Seconds since the scan was queued.
        asked_at: When it was asked for, by this process' monotonic clock: the lease can't be older than its question.
        traceparent: The trace it was submitted in; empty if none.
        scan: The scan with everything its stages have produced.
        spent: What failed tries of this stage have cost; None if nothing.
        group_size: How many that may be what crashes their workers may run together, this one included: this stage is
            run apart, and those after it by anybody. 0: it isn't suspected.
        worker_id: The worker that holds it.
    """

    job_id: int
    token: int
    stage: str
    attempt: int
    age: float
    asked_at: float
    traceparent: str
    scan: Scan
    spent: Usage | None = None
    group_size: int = 0
    worker_id: int = 0

    @property
    def user_id(self) -> str:
        """Whose scan it is."""
        return self.scan.user_id

    @property
    def batch(self) -> bool:
        """Whether it gives way to others."""
        return self.scan.batch

    @property
    def key(self) -> Key:
        """Tells this lease apart from the job's others."""
        return self.job_id, self.token


class Checkpoint(msgspec.Struct, frozen=True):
    """One stage that is done.

    Attributes:
        lease: The lease, at that stage.
        scan: The scan as readers see it from now on.
        following: The stage that follows.
        outputs: Result by stage; more than one where stages run side by side.
        runs: Attempts, duration and cost, one for each output.
        revised: Results of earlier stages that this one changed, by stage.
    """

    lease: Lease
    scan: Scan
    following: str
    outputs: Mapping[str, object]
    runs: Sequence[StageRun]
    revised: Mapping[str, object] = {}


class PutBack(msgspec.Struct, frozen=True):
    """Where a scan stands that was put back.

    Attributes:
        version: The scan's from now on.
        percent: How far it is stored.
    """

    version: int
    percent: int


class End(msgspec.Struct, frozen=True):
    """How a scan ended, well or badly.

    Attributes:
        version: The scan's from now on.
        finished_at: When.
        webhook_due: Whether a webhook is to be sent.
        reward_job_id: The job that is to evaluate its reward; None if there is none.
    """

    version: int
    finished_at: datetime
    webhook_due: bool
    reward_job_id: int | None = None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """The end a row tells of."""
        return cls(row["version"], row["finished_at"], row["webhook_due"], row.get("reward_job_id"))


class RewardLease(msgspec.Struct, frozen=True):
    """One reward to be evaluated, held by this worker.

    Attributes:
        job_id: Its job.
        token: What every write of this lease carries.
        attempt: Which try this is, from 1.
        traceparent: The trace its scan was submitted in; empty if none.
        scan: The scan, which has succeeded.
    """

    job_id: int
    token: int
    attempt: int
    traceparent: str
    scan: Scan

    @property
    def user_id(self) -> str:
        """Whose scan it is."""
        return self.scan.user_id

    @property
    def key(self) -> Key:
        """Tells this lease apart from the job's others."""
        return self.job_id, self.token
