"""Users with a phone: they create, upload, start, follow, ask again, and never give up on a scan that was accepted.

Each is one task that does one thing after the other, so what it reads later must not be older.
"""

import asyncio
import contextlib
import hashlib
import random
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, TypeVar

import grpc

from eco2.scan.v1 import scan_pb2, scan_service_pb2, scan_service_pb2_grpc
from tests.chaos.mesh.clients import photos
from tests.chaos.mesh.clients.histories import History, Reading
from tests.chaos.mesh.clients.model import MARK, REGION
from tests.chaos.mesh.clients.transport import Call, Cut, Json, Refused, Transport, refuse_grpc

_LONGEST_PAUSE = 2.0
_WAIT_SECONDS = 5
# Watches are left now and then as a phone does that loses its network.
_HANGS_UP = 0.15
_GRPC_SECONDS = 20.0

T = TypeVar("T")


class Follow(StrEnum):
    """How a client learns what becomes of its scan."""

    WATCH = "by Server-Sent Events"
    POLL = "by polling"
    WAIT = "by long polling"
    GRPC = "by WatchScan over gRPC"


class Given(Exception):
    """The client has done what it could: the scan is gone, or can't be got."""


class Client:
    """One user.

    Args:
        number: Which; the photos' numbers follow from it.
        seed: What the user does follows from it.
        transport: Its calls.
        history: Its history.
        channel: A gRPC channel to the edge.
        token: Its token.
        hooks: Where its webhooks go; "" for none.
    """

    def __init__(
        self, number: int, seed: int, transport: Transport, history: History, channel: grpc.aio.Channel, token: str,
        hooks: str,
    ) -> None:  # fmt: skip
        self._chance = random.Random(f"{seed} {number}")
        self._transport = transport
        self._history = history
        self._stub = scan_service_pb2_grpc.ScanServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._hooks = hooks
        self._number = number

    async def scan_on(self, stop: asyncio.Event) -> None:
        """Scans one photo after the other until told to stop; the last one is followed to its end."""
        count = 0
        while not stop.is_set():
            await self.scan_one(count)
            count += 1
        await self.look_back()

    async def scan_one(self, count: int) -> None:
        """Scans this user's photo of this number, and follows it to its end."""
        with contextlib.suppress(Given):
            await self._scan(self._number * 500 + count)

    async def look_back(self) -> None:
        """Reads once more what became of all scans."""
        for scan_id in sorted(self._history.scan_ids):
            await self._look_back(scan_id)

    async def _scan(self, photo: int) -> None:
        scan_id = await self._create(photo)
        if self._chance.random() < 0.05:
            await self._cancel(scan_id)
            return
        if self._chance.random() < 0.08:
            await self._cancel_later(scan_id)
        last = await self._follow(scan_id)
        if last.state == "STATE_SUCCEEDED" and self._chance.random() < 0.4:
            await self._answer(scan_id)
        if self._chance.random() < 0.3:
            await self._list()
        if self._chance.random() < 0.1:
            await self._delete(scan_id)
        else:
            await self._get(scan_id)

    async def _create(self, photo: int) -> str:
        """Creates, uploads and starts; returns the scan's id."""
        content = photos.photo(photo)
        spoilt = self._chance.random() < 0.04
        if spoilt:
            content = content[:200] + self._chance.randbytes(400)
        request: Json = {
            "upload": {
                "content_type": "image/jpeg",
                "size_bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            },
            "request_id": f"photo-{photo}",
            "user_input": f"언제 내놓아요? {MARK}{photo}",
        }
        if self._chance.random() < 0.5:
            request["location"] = {"latitude": 37.5636, "longitude": 126.9084}
        if self._hooks and self._chance.random() < 0.6:
            request["callback_url"] = self._hooks
        created = await self._accepted(request)
        scan_id: str = created["scan"]["scan_id"]
        if spoilt:
            self._history.spoilt.add(scan_id)
        if self._chance.random() < 0.25:  # the answer was lost on the way, as far as this phone knows
            created = await self._accepted(request)
        await self._upload(scan_id, request, created, content)
        return scan_id

    async def _accepted(self, request: Json) -> Json:
        call, created = await self._persist(lambda: self._transport.request("create", "POST", "/v1/scans", request))
        reading = call.read(created["scan"])
        self._history.accepted.setdefault(request["request_id"], set()).add(reading.scan_id)
        if secret := created.get("webhook_secret"):
            self._history.secrets[reading.scan_id] = secret
        return created

    async def _upload(self, scan_id: str, request: Json, created: Json, content: bytes) -> None:
        """Uploads and starts, with a fresh address whenever the old one may be spent."""
        while True:
            try:
                if ticket := created.get("upload"):
                    await self._transport.put(scan_id, ticket["url"], ticket["headers"], content)
                call, scan = await self._transport.request(
                    "start", "POST", f"/v1/scans/{scan_id}:start", {}, scan_id=scan_id
                )
            except Cut:
                await asyncio.sleep(0.3)
            except Refused as refusal:
                if not refusal.passing and refusal.reason not in ("PHOTO_NOT_UPLOADED", "PHOTO_MISMATCH"):
                    raise Given from refusal
                await self._pause(refusal)
            else:
                call.read(scan)
                self._history.started.add(scan_id)
                return
            created = await self._accepted(request)

    async def _follow(self, scan_id: str) -> Reading:
        """Reads until the scan has ended."""
        last: Reading | None = None
        manner = self._chance.choice(list(Follow))
        while last is None or not last.terminal:
            try:
                match manner:
                    case Follow.WATCH:
                        last = await self._watch(scan_id, last)
                    case Follow.GRPC:
                        last = await self._watch_grpc(scan_id, last)
                    case Follow.WAIT:
                        last = await self._wait(scan_id, last)
                    case Follow.POLL:
                        last = await self._get(scan_id)
                        await asyncio.sleep(self._chance.uniform(0.05, 0.3))
            except Cut:
                await asyncio.sleep(self._chance.uniform(0.05, 0.3))
            except Refused as refusal:
                if not refusal.passing:
                    raise Given from refusal
                await self._pause(refusal)
        return last

    async def _watch(self, scan_id: str, last: Reading | None) -> Reading | None:
        async with self._transport.stream(scan_id, last.version if last else 0) as events:
            async for kind, reading in events:
                last = reading or last
                if kind == "UPDATE" and self._chance.random() < _HANGS_UP:
                    break
        return last

    async def _watch_grpc(self, scan_id: str, last: Reading | None) -> Reading | None:
        call = Call(self._history, "stream", scan_id)
        request = scan_service_pb2.WatchScanRequest(scan_id=scan_id, after_version=last.version if last else 0)
        try:
            async for event in self._stub.WatchScan(request, metadata=self._metadata, timeout=_GRPC_SECONDS):
                if event.HasField("scan"):
                    last = call.read(_plain(event.scan), scan_service_pb2.WatchScanResponse.Type.Name(event.type)[5:])
        except grpc.aio.AioRpcError as error:
            raise refuse_grpc(call, error) from error
        call.ended("OK")
        return last

    async def _wait(self, scan_id: str, last: Reading | None) -> Reading:
        query = f"wait={_WAIT_SECONDS}s&after_version={last.version if last else 0}"
        path = f"/v1/scans/{scan_id}?{query}"
        call, scan = await self._transport.request("wait", "GET", path, scan_id=scan_id)
        return call.read(scan)

    async def _get(self, scan_id: str) -> Reading:
        call, scan = await self._persist(
            lambda: self._transport.request("get", "GET", f"/v1/scans/{scan_id}", scan_id=scan_id)
        )
        return call.read(scan)

    async def _list(self) -> None:
        call, page = await self._persist(lambda: self._transport.request("list", "GET", "/v1/scans?page_size=5"))
        for scan in page.get("scans", ()):
            call.read(scan)

    async def _answer(self, scan_id: str) -> None:
        """Replies to the question that the answer leaves open; the same reply twice is one reply."""
        request = {"reply": f"{REGION}에 살아요", "request_id": "reply"}
        for _ in range(2):
            call, replied = await self._persist(
                lambda: self._transport.request(
                    "answer", "POST", f"/v1/scans/{scan_id}:answer", request, scan_id=scan_id
                )
            )
            call.read(replied["scan"])

    async def _cancel(self, scan_id: str) -> None:
        self._history.cancelled.add(scan_id)
        call, scan = await self._persist(
            lambda: self._transport.request("cancel", "POST", f"/v1/scans/{scan_id}:cancel", {}, scan_id=scan_id)
        )
        call.read(scan)

    async def _cancel_later(self, scan_id: str) -> None:
        await asyncio.sleep(self._chance.uniform(0.1, 1.0))
        try:
            await self._cancel(scan_id)
        except Given:  # it had ended already
            self._history.cancelled.discard(scan_id)

    async def _delete(self, scan_id: str) -> None:
        path, tried = f"/v1/scans/{scan_id}", False
        self._history.deleting.add(scan_id)
        while True:
            try:
                await self._transport.request("delete", "DELETE", path, scan_id=scan_id)
            except Cut:
                tried = True
                await asyncio.sleep(0.2)
            except Refused as refusal:
                if refusal.status == "404" and tried:  # the try before had gone through
                    break
                if not refusal.passing:
                    raise Given from refusal
                tried = True
                await self._pause(refusal)
            else:
                break
        self._history.deleted[scan_id] = time.monotonic()

    async def _look_back(self, scan_id: str) -> None:
        """What the scan is in the end."""
        with contextlib.suppress(Given):
            await self._get(scan_id)

    async def _persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Asks until there is an answer.

        Raises:
            Given: It is refused for good.
        """
        while True:
            try:
                return await ask()
            except Cut:
                await asyncio.sleep(self._chance.uniform(0.1, 0.4))
            except Refused as refusal:
                if not refusal.passing:
                    raise Given from refusal
                await self._pause(refusal)

    async def _pause(self, refusal: Refused) -> None:
        wish = 0.5 if refusal.retry_after is None else refusal.retry_after
        await asyncio.sleep(min(wish, _LONGEST_PAUSE) * self._chance.uniform(0.8, 1.2))


def _plain(scan: scan_pb2.Scan) -> dict[str, Any]:
    """What a reading takes of a scan, as REST would show it."""
    reward = {"outcome": scan.reward.outcome} if scan.HasField("reward") else {}
    return {
        "scan_id": scan.scan_id,
        "state": scan_pb2.Scan.State.Name(scan.state),
        "version": scan.version,
        "progress": {"percent": scan.progress.percent},
        "answer": {"text": scan.answer.text},
        "reward": reward,
    }
