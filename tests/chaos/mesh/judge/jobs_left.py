"""What the database and storage say of jobs after a run."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from mesh.s3.bucket import Bucket
from scan_svc.client_jobs.client_jobs import FOLDER
from tests.chaos.mesh.clients.histories import History, JobKind
from tests.chaos.observations import Commit, Handover

# The services look at this every 15 s, but would sweep every ten minutes only.
_HURRY = "update scan.periodic set next_at = now() where name = 'sweep_jobs'"
_REST_SECONDS = 60.0
_ENDS = """
    select id::text, kind, state, coalesce(error ->> 'reason', '') as reason, file_key,
           coalesce((result ->> 'scans')::int, 0) as scans, coalesce(result ->> 'scan_id', '') as scan_id,
           coalesce(extract(epoch from finished_at), 0)::float8 as at
    from scan.client_job
"""
_ROWS = """
    select id::text, client_job_id::text as job_id, request_id, state from scan.scan
    where client_job_id is not null and request_id is not null
"""
_HANDOVERS = (
    "select ref::text, token, state, worker_id, extract(epoch from at)::float8 as at from chaos.client_handover"
)
_LOOKS = "select job_id::text, shown_at, extract(epoch from at)::float8 as at from chaos.look"


@dataclass(frozen=True, slots=True)
class JobEnd:
    """What became of a job.

    Attributes:
        kind: As in the database.
        state: In the end.
        reason: Why it failed; "" if it hasn't.
        file_key: Where its file is; "" if it has none.
        scans: How many an export says it has.
        scan_id: What a clip has become; "" if it is no clip.
        at: When it ended, in seconds since the epoch.
    """

    kind: str
    state: str
    reason: str = ""
    file_key: str = ""
    scans: int = 0
    scan_id: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class RowScan:
    """The scan of a batch's row, from 1, and its state in the end."""

    scan_id: str
    number: int
    state: str


@dataclass(frozen=True, slots=True)
class JobsLeft:
    """All of it, by job.

    Attributes:
        ends: What became of jobs.
        rows: The scans of a batch's rows.
        keys: The files in a job's folder.
        looks: Looks at scenes of clips that are stored, each as a commit of "vision" of `scene_of`.
        handovers: Who held which job; of a clip each of its scenes.
        numbers: The number of the photo of each row's scan, and of each scene.
    """

    ends: Mapping[str, JobEnd] = field(default_factory=dict)
    rows: Mapping[str, Sequence[RowScan]] = field(default_factory=dict)
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    looks: Sequence[Commit] = ()
    handovers: Sequence[Handover] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)


def scene_of(job_id: str, place: int) -> str:
    """What a scene of a clip is called among scans: each is paid for by itself."""
    return f"{job_id}#{place}"


async def collect_jobs(connection: asyncpg.Connection, bucket: Bucket, histories: Sequence[History]) -> JobsLeft:
    """What is left once sweeps had their time."""
    ends = {job_id: JobEnd(*rest) for job_id, *rest in await connection.fetch(_ENDS)}
    rows = defaultdict(list)
    for row in await connection.fetch(_ROWS):
        rows[row["job_id"]].append(RowScan(row["id"], int(row["request_id"].rpartition("/")[2]), row["state"]))
    asked = {job_id: one for history in histories for job_id, one in history.jobs.items()}
    scenes = {job_id: one.shown for job_id, one in asked.items() if one.kind is JobKind.CLIP}
    numbers = {scene_of(job_id, place): str(number) for job_id, shown in scenes.items()
               for place, number in enumerate(shown)}  # fmt: skip
    numbers |= {row.scan_id: str(asked[job_id].shown[row.number - 1]) for job_id, made in rows.items()
                if job_id in asked for row in made if row.number <= len(asked[job_id].shown)}  # fmt: skip
    looks = [Commit(scene_of(job_id, int(shown_at)), "vision", 0, at)
             for job_id, shown_at, at in await connection.fetch(_LOOKS)]  # fmt: skip
    handovers = [Handover(scene_of(ref, place), *rest) for ref, *rest in await connection.fetch(_HANDOVERS)
                 for place in range(len(scenes.get(ref, ())))]  # fmt: skip
    return JobsLeft(ends, rows, await _swept(connection, bucket, ends), looks, handovers, numbers)


async def _swept(
    connection: asyncpg.Connection, bucket: Bucket, ends: Mapping[str, JobEnd]
) -> Mapping[str, Sequence[str]]:
    """The files of jobs once none is left over, or when there still are some after a while."""
    expected = {end.file_key for end in ends.values()}
    succeeded = {job_id for job_id, end in ends.items() if end.state == "SUCCEEDED"}
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _REST_SECONDS
    while True:
        found = defaultdict(list)
        for key in await _keys(bucket):
            found[key.split("/")[1]].append(key)
        over = any(key not in expected for job_id in succeeded for key in found.get(job_id, ()))
        if not over or loop.time() > deadline:
            return found
        await connection.execute(_HURRY)
        await asyncio.sleep(1.0)


async def _keys(bucket: Bucket) -> list[str]:
    keys, page = list[str](), await bucket.page(FOLDER)
    while page:
        keys += [found.key for found in page]
        page = await bucket.page(FOLDER, after=keys[-1])
    return keys
