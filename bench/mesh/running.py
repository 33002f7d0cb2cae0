"""Scans that change when the benchmark says so: it publishes their snapshots as a worker would."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uuid_utils
from msgspec.structs import replace

from bench.mesh.stack import Stack
from bench.mesh.users import user_name
from mesh.postgres import open_pool
from mesh.redis import open_redis
from scan_svc.mirrors.rules import DisposalRule, Exclusion
from scan_svc.mirrors.vision import Category, Classification
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.snapshots import Snapshots
from scan_svc.results import Results
from scan_svc.scans import NewScan, Photo, PhotoUpload, Scan, ScanRequest, State, Step
from scan_svc.store import ScanStore

FIRST_VERSION = 10_001  # of a scan that was claimed once

_AT_ONCE = 8  # more would only wait for a connection

# What a person sees between the two model calls: about 1 kB of JSON.
_CATEGORY = Category("재활용폐기물", "금속류", "알루미늄캔")
_RULE = DisposalRule(
    "metal",
    _CATEGORY,
    title="금속류",
    steps=("내용물을 비우고 헹구세요.", "눌러서 부피를 줄이세요.", "금속류 수거함에 넣으세요."),
    why="금속은 녹여서 다시 쓰지만 남은 음식과 이물질은 공정을 망쳐요.",
    container="금속류 수거함",
    exclusions=(Exclusion("우산", "종량제봉투"), Exclusion("가스통", "전문 수거")),
    source="guide",
)
_HALFWAY = Results(
    vision=Classification(_CATEGORY, display_name="알루미늄캔", confidence=0.91, material="알루미늄", provider="bench"),
    rules=(_RULE,),
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A running scan and whose it is.

    Attributes:
        user: Number of the user, as `phones` counts them.
        scan_id: The scan.
    """

    user: int
    scan_id: str


class Stage:
    """Where the scans' changes come from: Redis, as if a worker on another host had written them.

    Args:
        snapshots: Redis.
        scans: The scans, by id.
    """

    def __init__(self, snapshots: Snapshots, scans: dict[str, Scan]) -> None:
        self._snapshots = snapshots
        self._scans = scans
        # When each change was about to be published, by scan and version.
        self.changed_at: dict[tuple[str, int], float] = {}

    async def change(self, scan_id: str) -> None:
        """Publishes the scan's next version."""
        earlier = self._scans[scan_id]
        self._scans[scan_id] = scan = replace(earlier, version=earlier.version + 1, percent=70)
        self.changed_at[scan_id, scan.version] = time.perf_counter()
        await self._snapshots.publish(scan)

    def version(self, scan_id: str) -> int:
        """The scan's newest version."""
        return self._scans[scan_id].version


@asynccontextmanager
async def running_scans(stack: Stack, count: int) -> AsyncIterator[tuple[Stage, list[Watched]]]:
    """A running scan for each of so many users, half done.

    It stands in PostgreSQL as one that waits for its photo; what Redis says about it is newer, and is what readers get.
    """
    async with (
        open_pool(stack.variables["ECO2_DATABASE_URL"]) as pool,
        open_redis(stack.variables["ECO2_REDIS_URL"]) as client,
    ):
        store, snapshots = ScanStore(pool), Snapshots(client, SnapshotEncoder())
        scans: dict[str, Scan] = {}

        room = asyncio.Semaphore(_AT_ONCE)

        async def begun(user: int) -> Watched:
            async with room:
                return await create(user)

        async def create(user: int) -> Watched:
            scan_id = str(uuid_utils.uuid7())
            scans[scan_id] = await _stored(store, scan_id, user_name(user))
            await snapshots.publish(scans[scan_id])
            return Watched(user, scan_id)

        yield Stage(snapshots, scans), await asyncio.gather(*(begun(user) for user in range(count)))


async def _stored(store: ScanStore, scan_id: str, user_id: str) -> Scan:
    """A new scan, and what it looks like once a worker has classified it."""
    upload = PhotoUpload("image/jpeg", 2_500_000)
    key = f"photos/{scan_id}.jpg"
    photo = Photo(f"https://cdn.example/{key}", key, upload.content_type, upload.size_bytes)
    waiting, _ = await store.create(NewScan(scan_id, photo, ScanRequest(user_id=user_id, photo=upload)), "")
    return replace(
        waiting, state=State.RUNNING, version=FIRST_VERSION, percent=60, step=Step.ANSWER, results=_HALFWAY,
        started_at=waiting.created_at,
    )  # fmt: skip
