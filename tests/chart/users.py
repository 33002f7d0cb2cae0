"""Users of a cluster, by REST through whichever edge is ready: they ask all the time, and watch scans for minutes."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import httpx2

from local.stack.tokens import Tokens
from tests.support.http import http_client
from tests.support.sample_photos import note

_SECONDS = 60.0

Json = dict[str, Any]


class User:
    """One of them.

    Args:
        tokens: Issues theirs.
        edges: Addresses of the edges that are ready now.

    Attributes:
        failed: What they were told instead of an answer.
        asked: How many answers they got, by path.
    """

    def __init__(self, tokens: Tokens, edges: Callable[[], Sequence[str]]) -> None:
        self._edges = edges
        self._headers = {"Authorization": f"Bearer {tokens.issue(f'user-{uuid4().hex}')}"}
        self.failed: list[str] = []
        self.asked: Counter[str] = Counter()

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """One call, on a connection of its own, as a load balancer would lead it."""
        async with self._http() as http:
            try:
                reply = await http.request(method, self._at(path), json=body)
            except httpx2.HTTPError as error:
                self.failed.append(f"{method} {path}: {error!r}")
                return {}
        if not reply.is_success:
            self.failed.append(f"{method} {path}: {reply.status_code} {reply.text}")
            return {}
        self.asked[path.partition("?")[0]] += 1
        answer: Json = reply.json()
        return answer

    async def created(self) -> tuple[str, Json]:
        """A scan that waits for its photo: its id, and the ticket for the upload."""
        photo = note()
        upload = {"content_type": "image/jpeg", "size_bytes": len(photo), "sha256": hashlib.sha256(photo).hexdigest()}
        created = await self.ask("POST", "/v1/scans", {"upload": upload})
        return created["scan"]["scan_id"], created["upload"]

    async def start(self, scan_id: str, ticket: Json) -> None:
        """Uploads the photo and starts the scan."""
        async with http_client(timeout=_SECONDS) as storage:
            (await storage.put(ticket["url"], headers=ticket["headers"], content=note())).raise_for_status()
        await self.ask("POST", f"/v1/scans/{scan_id}:start", {})

    async def watched(self, scan_id: str) -> tuple[str, int]:
        """Watches a scan to its end, again and again if need be; returns its last state, and how often anew."""
        for times in range(100):
            async for event in self._events(scan_id):
                if event["type"] == "TYPE_TERMINAL":
                    return str(event["scan"]["state"]), times
        raise AssertionError(f"{scan_id} never ended")

    async def _events(self, scan_id: str) -> Any:
        """What one watch tells, until it ends in whatever way."""
        accept = {"Accept": "text/event-stream"}
        async with self._http() as http:
            try:
                async with http.stream("GET", self._at(f"/v1/scans/{scan_id}:watch"), headers=accept) as reply:
                    async for line in reply.aiter_lines():
                        if line.startswith("data: {"):
                            yield json.loads(line.removeprefix("data: "))
            except httpx2.HTTPError:
                return

    def _http(self) -> httpx2.AsyncClient:
        return http_client(headers=self._headers, timeout=_SECONDS)

    def _at(self, path: str) -> str:
        return f"http://{random.choice(self._edges())}:8080{path}"
