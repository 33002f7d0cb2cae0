"""What a kind of client jobs brings along: its work, and what users are told of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from scan_svc.client_jobs.client_jobs import ClientJob, File, Kind, Texts


class Later(Exception):
    """The job isn't to be done yet: it is put back, which doesn't count as a try.

    Args:
        seconds: Until then.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class PutBack(Exception):
    """This worker does no more of the job, which goes on elsewhere from its last checkpoint. Let it pass."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job.

    Attributes:
        content: In the form of its kind; None if there is nothing to tell.
        file: What users may fetch; None if nothing.
        cost_micro_usd: What models have cost in all; 0 leaves what checkpoints said.
    """

    content: object = None
    file: File | None = None
    cost_micro_usd: int = 0


class Task(Protocol):
    """One job at work."""

    @property
    def job(self) -> ClientJob:
        """The job, as it was when this worker took it."""

    @property
    def spec(self) -> Any:
        """What was asked for, in the form of its kind."""

    @property
    def cursor(self) -> Any:
        """What the last checkpoint kept, of whatever worker; None before the first."""

    @property
    def attempt(self) -> int:
        """Which try this is since the job last came further, from 1."""

    def file_key(self, extension: str) -> str:
        """Where a file of this job may be stored: no worker that holds the job later writes there."""

    async def report(self, step: str, done: int = 0, total: int = 0) -> None:
        """Shows people how far the job is. Cheap: what follows quickly is merged. Never fails.

        Args:
            step: One of its kind's steps.
            done: So much is done.
            total: Of so much; 0 leaves the percentage where it is.
        """

    async def checkpoint(self, cursor: object, done: int = 0, total: int = 0, cost_micro_usd: int = 0) -> None:
        """Keeps how far the job is: after a crash it goes on from here. Call it every few seconds, not for every row.

        Args:
            cursor: What to go on with, as JSON.
            done: So much is done; a job that crashes its workers without ever coming further is archived.
            total: Of so much.
            cost_micro_usd: What models have cost in all, not since the last checkpoint.

        Raises:
            Fenced: The job was cancelled or deleted, or somebody else has it: stop, and write nothing.
            PutBack: This worker leaves.
        """


class Work(Protocol):
    """What a kind of client jobs does."""

    async def prepare(self, user_id: str, spec: Any) -> object:
        """Checks what the protos can't, when a job is created and when it is started; returns the spec to be kept.

        Raises:
            EcoError: It can't be done; with the field.
        """

    async def run(self, task: Task) -> Result:
        """Does the job, in a worker: from the start, or from the cursor.

        It runs again after a crash, so whatever it does must be harmless when repeated from the last checkpoint.

        Raises:
            EcoError: It failed; for good if another try can't mend it, or when all tries are spent.
            Later: It isn't to be done yet.
        """


@dataclass(frozen=True, slots=True)
class UploadRule:
    """Which files a kind of jobs takes.

    Attributes:
        extensions: By media type.
        most_bytes: The largest.
    """

    extensions: Mapping[str, str]
    most_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """One kind of client jobs.

    Attributes:
        kind: Which.
        work: What it does.
        spec: The dataclass that mirrors its spec's proto message field by field (`mesh.grpc.proto_mirror`).
        result: Likewise its result's.
        steps: What people read at each of its steps; `{done}` and `{total}` are filled in.
        unit: What is counted.
        upload: Which files it takes; None: it wants none.
        capacity: How many of them are at work at once in a process.
        attempts: How often one is tried without coming further.
        most_live: How many one user may have that haven't ended.
        internal: Whether only services inside may create one.
    """

    kind: Kind
    work: Work
    spec: type
    result: type
    steps: Mapping[str, Texts] = field(default_factory=dict)
    unit: str = ""
    upload: UploadRule | None = None
    capacity: int = 2
    attempts: int = 5
    most_live: int = 3
    internal: bool = False


class JobTypes:
    """The kinds of client jobs that this process knows.

    Args:
        types: Each of them.
    """

    def __init__(self, types: Iterable[JobType] = ()) -> None:
        self._types: dict[str, JobType] = {}
        self.add(types)

    def add(self, types: Iterable[JobType]) -> None:
        """Knows some more. Their works stand on progress, which shows jobs by their kinds: so these are known later."""
        self._types |= {one.kind.value: one for one in types}

    def __iter__(self) -> Iterator[JobType]:
        return iter(self._types.values())

    def find(self, kind: str) -> JobType | None:
        """One of them; None if nobody here does such jobs."""
        return self._types.get(kind)
