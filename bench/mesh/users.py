"""Users with phones: REST over a connection of their own, a token of their own."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bench.mesh.http1 import Connection, Piece, Reply, encode
from bench.mesh.load import Refused
from bench.mesh.stack import Stack

# The states in which a scan is over.
ENDS = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")

_VERSION = re.compile(rb'"version": ?"?(\d+)')
_STATE = re.compile(rb'"state": ?"STATE_(\w+)"')

_UPLOAD = {"upload": {"content_type": "image/jpeg", "size_bytes": 2_500_000}}


class Phone:
    """One signed-in user.

    Args:
        connection: To the edge.
        host: Its name.
        token: The user's.

    Attributes:
        requests: How many it has sent to the edge.
    """

    def __init__(self, connection: Connection, host: str, token: str) -> None:
        self._connection = connection
        self._host = host
        self._headers = {"authorization": f"Bearer {token}", "accept-language": "ko"}
        self.requests = 0
        self._announcement = self._request("POST", "/v1/scans", _UPLOAD)

    async def announce(self) -> bytes:
        """CreateScan of a photo to be uploaded; the reply as it came."""
        return await self._send(self._announcement)

    async def create(self, **fields: Any) -> str:
        """CreateScan; the scan's id."""
        created = msgspec.json.decode(await self._send(self._request("POST", "/v1/scans", fields)))
        scan_id: str = created["scan"]["scan_id"]
        return scan_id

    async def upload(self, photo: bytes, storage: Connection) -> str:
        """CreateScan, the photo straight to storage, StartScan; the scan's id.

        Args:
            photo: A JPEG.
            storage: A connection to object storage.
        """
        announcement = {"upload": {"content_type": "image/jpeg", "size_bytes": len(photo)}}
        created = msgspec.json.decode(await self._send(self._request("POST", "/v1/scans", announcement)))
        ticket, scan_id = created["upload"], str(created["scan"]["scan_id"])
        address = urlsplit(ticket["url"])
        headers = {name: value for name, value in ticket["headers"].items() if name != "Content-Length"}
        put = await storage.send(encode("PUT", f"{address.path}?{address.query}", address.netloc, headers, photo))
        if put.status != 200:
            raise Refused(f"PUT {put.status}")
        await self._send(self._request("POST", f"/v1/scans/{scan_id}:start", {}))
        return scan_id

    def reading(self, scan_id: str, query: str = "") -> bytes:
        """The request of GetScan, for `read`."""
        return self._request("GET", f"/v1/scans/{scan_id}{query}")

    async def read(self, request: bytes) -> bytes:
        """GetScan; the reply as it came."""
        return await self._send(request)

    async def watch(self, scan_id: str, seen: Piece) -> None:
        """WatchScan as Server-Sent Events until the stream ends.

        Args:
            scan_id: Which scan.
            seen: Called with each event as it came; the functions below read from it what a benchmark wants to know.
        """
        await self._follow(f"/v1/scans/{scan_id}:watch", seen)

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()

    def state(self, scan: bytes) -> str:
        """The state in a scan's JSON, such as "SUCCEEDED"; empty if there is none."""
        return state_of(scan)

    async def _send(self, request: bytes, each: Piece | None = None) -> bytes:
        self.requests += 1
        reply: Reply = await self._connection.send(request, each)
        if reply.status != 200:
            raise Refused(f"HTTP {reply.status}")
        return reply.body

    async def _follow(self, path: str, seen: Piece) -> None:
        request = self._request("GET", path, None, {"accept": "text/event-stream"})
        await self._send(request, lambda piece: _each_event(piece, seen))

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        content = json.dumps(body).encode() if body is not None else b""
        kind = {"content-type": "application/json"} if content else {}
        return encode(method, path, self._host, {**self._headers, **kind, **(headers or {})}, content)


@asynccontextmanager
async def phones(stack: Stack, count: int, rest: str = "", kind: type[Phone] = Phone) -> AsyncIterator[list[Phone]]:
    """So many users, each connected.

    Args:
        stack: Whose users.
        count: How many.
        rest: Another edge that believes the same tokens; the stack's own by default.
        kind: How they speak to it.
    """
    url = rest or stack.rest
    host = urlsplit(url).netloc
    users: list[Phone] = []
    try:
        for number in range(count):
            token = stack.tokens.issue(user_name(number))
            users.append(kind(await Connection.open(url), host, token))
        yield users
    finally:
        for user in users:
            user.close()


def user_name(number: int) -> str:
    """Who the user with this number is."""
    return f"user-{number}"


def version_of(scan: bytes) -> int:
    """The version in a scan's JSON, read without decoding all of it; 0 if there is none."""
    found = _VERSION.search(scan)
    return int(found[1]) if found else 0


def state_of(scan: bytes) -> str:
    """The state in a scan's JSON, such as "SUCCEEDED"; empty if there is none."""
    found = _STATE.search(scan)
    return found[1].decode() if found else ""


def _each_event(piece: bytes, seen: Piece) -> None:
    """Envoy sends each event in a piece of its own, or several together."""
    for line in piece.split(b"\n"):
        if line.startswith(b"data:"):
            seen(line)
