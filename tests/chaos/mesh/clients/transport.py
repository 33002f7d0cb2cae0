"""One client's calls over REST, each recorded as it ended; gRPC's statuses too."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
import httpx2
from google.rpc import error_details_pb2, status_pb2

from tests.chaos.mesh.clients.histories import History, Outcome, Reading

Json = dict[str, Any]

_calls = itertools.count(1)
_CALL_SECONDS = 20.0
_SHOWN = 300


class Cut(Exception):
    """No whole answer came: the connection was refused, dropped or silent."""


class Refused(Exception):
    """The server said no.

    Args:
        status: The HTTP status, or the gRPC code's name.
        reason: The ErrorInfo's reason.
        retry_after: Seconds to wait; None if it doesn't say.
    """

    def __init__(self, status: str, reason: str, retry_after: float | None) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether trying again may help."""
        return self.status in _PASSING


_PASSING = frozenset({"429", "500", "502", "503", "504", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN",
                      "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED"})  # fmt: skip


class Call:
    """One call under way.

    Attributes:
        number: Which.
        began: When it was sent.
    """

    def __init__(self, history: History, operation: str, scan_id: str) -> None:
        self.number = next(_calls)
        self.began = time.monotonic()
        self._history = history
        self._operation = operation
        self._scan_id = scan_id

    def read(self, scan: Mapping[str, Any], event: str = "") -> Reading:
        """Records a scan or a job as it came in JSON."""
        reading = Reading(
            scan_id=scan["job_id"] if "job_id" in scan else scan["scan_id"],
            call=self.number,
            operation=self._operation,
            began=self.began,
            at=time.monotonic(),
            event=event,
            state=scan["state"],
            version=int(scan["version"]),
            percent=int(scan["percent"] if "percent" in scan else scan.get("progress", {}).get("percent", 0)),
            answered=bool(scan.get("answer", {}).get("text")),
            rewarded=bool(scan.get("reward", {}).get("outcome")),
            reason=_reason(scan.get("error") or {}),
        )
        self._history.entries.append(reading)
        return reading

    def ended(self, status: str, reason: str = "", *, retry_after: bool = False, body: str = "") -> None:
        """Records how it ended."""
        self._history.entries.append(
            Outcome(
                call=self.number,
                operation=self._operation,
                scan_id=self._scan_id,
                began=self.began,
                at=time.monotonic(),
                status=status,
                reason=reason,
                retry_after=retry_after,
                body=body[:_SHOWN],
            )
        )


class Transport:
    """One client's connections.

    Args:
        history: Where everything is recorded.
        http: Connections to the edge.
        storage: Connections to object storage, which mustn't see the token.
        token: The user's.
    """

    def __init__(self, history: History, http: httpx2.AsyncClient, storage: httpx2.AsyncClient, token: str) -> None:
        self._history = history
        self._http = http
        self._storage = storage
        self._headers = {"Authorization": f"Bearer {token}"}

    async def request(
        self, operation: str, method: str, path: str, body: Json | None = None, *, scan_id: str = ""
    ) -> tuple[Call, Json]:
        """One call.

        Raises:
            Cut: No whole answer came.
            Refused: It was refused.
        """
        call = Call(self._history, operation, scan_id)
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                reply = await self._http.request(method, path, headers=self._headers, json=body)
        except (httpx2.TransportError, TimeoutError) as error:
            call.ended("cut", body=repr(error))
            raise Cut from error
        _refuse(call, reply.status_code, reply.headers, reply.content)
        call.ended(str(reply.status_code))
        return call, reply.json()

    async def put(self, scan_id: str, url: str, headers: Mapping[str, str], content: bytes) -> None:
        """Uploads a photo straight to storage, whose answers aren't ours to judge.

        Raises:
            Cut: It wasn't stored.
        """
        call = Call(self._history, "put", scan_id)
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                reply = await self._storage.put(url, headers=dict(headers), content=content)
        except (httpx2.TransportError, TimeoutError) as error:
            call.ended("cut", body=repr(error))
            raise Cut from error
        if reply.status_code not in (200, 412):  # 412: it is there already
            call.ended("cut", body=f"storage says {reply.status_code}")
            raise Cut
        call.ended("200")

    async def fetch(self, job_id: str, url: str) -> bytes:
        """Reads the file that a job has made straight from storage.

        Raises:
            Cut: It didn't come whole.
        """
        call = Call(self._history, "fetch", job_id)
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                reply = await self._storage.get(url)
        except (httpx2.TransportError, TimeoutError) as error:
            call.ended("cut", body=repr(error))
            raise Cut from error
        if reply.status_code != 200:
            call.ended("cut", body=f"storage says {reply.status_code}")
            raise Cut
        call.ended("200")
        return reply.content

    @asynccontextmanager
    async def stream(
        self, scan_id: str, after: int, of: str = "scan"
    ) -> AsyncIterator[AsyncIterator[tuple[str, Reading | None]]]:
        """A watch by Server-Sent Events that resumes after a version.

        Yields:
            Each event's kind and the scan, or the job, in it; the block ends with the stream.

        Raises:
            Cut: The stream broke off.
            Refused: It was refused.
        """
        call = Call(self._history, "watch", scan_id)
        headers = {**self._headers, "Accept": "text/event-stream"}
        if after:
            headers["Last-Event-ID"] = str(after)
        try:
            async with self._http.stream("GET", f"/v1/{of}s/{scan_id}:watch", headers=headers) as reply:
                if reply.status_code != 200:
                    _refuse(call, reply.status_code, reply.headers, await reply.aread())
                yield _events(call, reply, of)
        except (httpx2.TransportError, TimeoutError) as error:
            call.ended("cut", body=repr(error))
            raise Cut from error
        call.ended("200")


async def _events(call: Call, reply: httpx2.Response, of: str) -> AsyncIterator[tuple[str, Reading | None]]:
    kind = ""
    async for line in reply.aiter_lines():
        if line.startswith("event:"):
            kind = line[6:].strip().upper()
        elif line.startswith("data:"):
            scan = json.loads(line[5:]).get(of)
            yield kind, call.read(scan, kind) if scan else None


def _refuse(call: Call, status: int, headers: Mapping[str, str], content: bytes) -> None:
    if status < 400:
        return
    try:
        body = json.loads(content)
    except ValueError:
        body = {}
    reason = _reason(body) if isinstance(body, dict) else ""
    seconds = headers.get("retry-after")
    call.ended(str(status), reason, retry_after=seconds is not None, body=content.decode(errors="replace"))
    raise Refused(str(status), reason, float(seconds) if seconds else None)


def _reason(status: Mapping[str, Any]) -> str:
    return next((one["reason"] for one in status.get("details", ()) if "reason" in one), "")


def refuse_grpc(call: Call, error: grpc.aio.AioRpcError) -> Refused:
    """Records a refusal over gRPC, and gives it to raise."""
    code, reason, retry_after = error.code().name, "", None
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
                if detail.Unpack(info):
                    reason = info.reason
                elif detail.Unpack(retry):
                    retry_after = retry.retry_delay.ToMilliseconds() / 1000
    # The client's own library says UNAVAILABLE, too, when it can't connect, and has no reason to give.
    # And INTERNAL when a stream that had begun is reset, which is all that Envoy can do when its server is killed.
    ours = not reason and (code == "UNAVAILABLE" or "RST_STREAM" in (error.details() or ""))
    call.ended("cut" if ours else code, reason, retry_after=retry_after is not None, body=error.details() or "")
    return Refused(code, reason, retry_after)
