"""The two systems under comparison, driven by one load generator; what differs between them stands here."""

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis

from bench.mesh import complete
from bench.mesh.http1 import Piece
from bench.mesh.photos import stored
from bench.mesh.running import FIRST_VERSION, Watched, running_scans
from bench.mesh.scenarios.lag import Changes
from bench.mesh.stack import Stack, inherited, programs
from bench.mesh.users import Phone, phones
from local.stack.background import running

_STAGE = re.compile(rb'"stage": ?"(\w+)"')
_STATES = {"done": "SUCCEEDED", "failed": "FAILED"}
_PROGRESS_SECONDS = 3600
_CONNECTIONS = 32  # whoever needs one more waits
_SUCCEEDED = "select count(*) from scans where state = 'done'"
# What a person sees between the two model calls: about 1 kB of JSON, as much as the other system's watchers get.
_HALFWAY: Mapping[str, Any] = {
    "classification": {"major_category": "재활용폐기물", "middle_category": "금속류", "minor_category": "음료캔"},
    "disposal_rules": [
        {
            "rule_id": "metal",
            "title": "금속류",
            "steps": ["내용물을 비우고 헹구세요.", "눌러서 부피를 줄이세요.", "금속류 수거함에 넣으세요."],
            "why": "금속은 녹여서 다시 쓰지만 남은 음식과 이물질은 공정을 망쳐요.",
            "container": "금속류 수거함",
            "instead": ["우산: 종량제봉투", "가스통: 전문 수거"],
        }
    ],
}

Crowd = tuple[Changes, list[Watched]]


class PeerPhone(Phone):
    """A user of the peer: the same requests, as its API has them."""

    async def create(self, **fields: Any) -> str:
        """A scan of a photo in storage; its id."""
        created = msgspec.json.decode(await self._send(self._request("POST", "/api/v1/scan", fields)))
        scan_id: str = created["task_id"]
        return scan_id

    def reading(self, scan_id: str, query: str = "") -> bytes:
        """The request for how far a scan is, for `read`."""
        return self._request("GET", f"/api/v1/waste/status/{scan_id}{query}")

    async def watch(self, scan_id: str, seen: Piece) -> None:
        """A scan's changes as Server-Sent Events until it is over."""
        await self._follow(f"/api/v1/scan/{scan_id}/progress", seen)

    def state(self, scan: bytes) -> str:
        """How a scan ended, in the other system's words; empty while it runs."""
        found = _STAGE.search(scan)
        return _STATES.get(found[1].decode(), "") if found else ""


@dataclass(frozen=True, slots=True)
class Target:
    """One system.

    Attributes:
        name: "ours" or "peer".
        stack: Its processes and addresses.
        phone: How its users speak to it.
        succeeded: A query for how many scans have succeeded, ever.
        running: So many scans whose changes the benchmark makes.
    """

    name: str
    stack: Stack
    phone: type[Phone]
    succeeded: str
    running: Callable[[int], AbstractAsyncContextManager[Crowd]]

    def users(self, count: int) -> AbstractAsyncContextManager[list[Phone]]:
        """So many users, each connected."""
        return phones(self.stack, count, kind=self.phone)


def ours(stack: Stack) -> Target:
    """Our system."""
    return Target("ours", stack, Phone, complete.SUCCEEDED, lambda count: running_scans(stack, count))


@contextmanager
def peer(beside: Stack, folder: Path, python: Path, generated: Path, prompts: Path) -> Iterator[Target]:
    """The peer, started beside our stack: with the same photos, model, users and requests to the model.

    Args:
        beside: Our stack.
        folder: Where its data goes.
        python: The interpreter of its environment.
        generated: Where the code of its gRPC service is.
        prompts: The requests that our services send to the model.
    """
    assert beside.model
    shared = {name: value for name, value in beside.variables.items() if name.startswith(("ECO2_S3_", "ECO2_CDN_"))}
    environment = {
        **shared,
        **beside.model.environment,
        "PEER_JWKS": beside.tokens.jwks(),
        "PEER_PROMPTS": str(prompts),
    }
    command = ("bench.peer.stack", str(folder), str(python), str(generated))
    with inherited(environment), running(folder, command=command) as variables:
        # Both systems' photos lie in our SeaweedFS; it is counted for whoever is driven.
        processes = {**programs(folder), "seaweedfs": beside.processes["seaweedfs"]}
        stack = Stack(folder, {**shared, **variables}, processes, beside.tokens, beside.model)
        yield Target("peer", stack, PeerPhone, _SUCCEEDED, lambda count: peer_running(stack, count))


async def recorded(target: Target) -> bytes:
    """Scans a photo on our system; what its services asked the model, as JSON."""
    assert target.stack.model
    (address,) = await stored(target.stack, 1, seed=0)
    async with target.users(1) as (user,):
        await user.watch(await user.create(image_url=address), lambda _: None)
    return msgspec.json.encode(target.stack.model.recorded())


class PeerStage:
    """Where the changes of the peer's scans come from: Redis, as if a worker had written them.

    Args:
        client: The peer's Redis.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._versions: dict[str, int] = {}
        # When each change was about to be published, by scan and version.
        self.changed_at: dict[tuple[str, int], float] = {}

    async def change(self, scan_id: str) -> None:
        """Publishes the scan's next version: what the peer's workers write, and a number that tells it from others."""
        version = self._versions[scan_id] = self._versions.get(scan_id, FIRST_VERSION - 1) + 1
        told = {"job_id": scan_id, "stage": "answer", "progress": 70, "ts": time.time(), **_HALFWAY, "version": version}
        data = msgspec.json.encode(told)
        self.changed_at[scan_id, version] = time.perf_counter()
        pipe = self._client.pipeline(transaction=False)
        pipe.setex(f"job:{scan_id}:progress", _PROGRESS_SECONDS, data)
        pipe.publish(f"scan:{scan_id}", data)
        await pipe.execute()

    def version(self, scan_id: str) -> int:
        """The scan's newest version."""
        return self._versions[scan_id]


@asynccontextmanager
async def peer_running(stack: Stack, count: int) -> AsyncIterator[Crowd]:
    """A running scan of the peer's for each of so many users."""
    address = stack.variables["ECO2_REDIS_URL"]
    pool = BlockingConnectionPool.from_url(address, max_connections=_CONNECTIONS, timeout=None)
    async with Redis.from_pool(pool) as client:
        stage = PeerStage(client)
        watched = [Watched(user, str(uuid4())) for user in range(count)]
        for one in watched:
            await stage.change(one.scan_id)
        yield stage, watched
