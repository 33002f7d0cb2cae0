"""The whole mesh as a phone sees it: REST through the real Envoy, photos straight to storage."""

import hashlib
import io
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from local.stack.secrets import Secrets
from local.stack.tokens import Tokens
from tests.support.http import http_client
from tests.support.sample_photos import note

Json = dict[str, Any]


class Phone:
    """One signed-in user. Requests and replies are plain JSON: what a client sees is what is tested."""

    def __init__(self, http: httpx2.AsyncClient, token: str, language: str = "ko") -> None:
        self.http = http
        self.headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}

    async def call(self, method: str, path: str, body: Json | None = None) -> httpx2.Response:
        return await self.http.request(method, path, headers=self.headers, json=body)

    async def create(self, photo: bytes, **fields: Any) -> Json:
        upload = {
            "content_type": "image/jpeg",
            "size_bytes": len(photo),
            "sha256": hashlib.sha256(photo).hexdigest(),
        }
        reply = await self.call("POST", "/v1/scans", {"upload": upload, **fields})
        assert reply.status_code == 200, reply.text
        created: Json = reply.json()
        return created

    async def put(self, ticket: Json, photo: bytes) -> None:
        async with http_client() as storage:
            reply = await storage.put(ticket["url"], headers=ticket["headers"], content=photo)
        assert reply.status_code == 200, reply.text

    async def started(self, photo: bytes, **fields: Any) -> str:
        """A scan with its photo uploaded, queued."""
        created = await self.create(photo, **fields)
        await self.put(created["upload"], photo)
        scan_id: str = created["scan"]["scan_id"]
        reply = await self.call("POST", f"/v1/scans/{scan_id}:start", {})
        assert reply.status_code == 200, reply.text
        return scan_id

    @asynccontextmanager
    async def watching(self, path: str, accept: str = "text/event-stream") -> AsyncIterator[AsyncIterator[Json]]:
        """The events of a watch, as they come."""
        headers = {**self.headers, "Accept": accept}
        async with self.http.stream("GET", path, headers=headers, timeout=30) as reply:
            assert reply.status_code == 200
            yield (json.loads(line.removeprefix("data: ")) async for line in reply.aiter_lines() if "{" in line)

    async def events(self, scan_id: str) -> list[Json]:
        """Every event until the end."""
        async with self.watching(f"/v1/scans/{scan_id}:watch") as events:
            return [event async for event in events]

    async def finished(self, scan_id: str) -> Json:
        """The scan at its end."""
        last = (await self.events(scan_id))[-1]
        assert last["type"] == "TYPE_TERMINAL"
        scan: Json = last["scan"]
        return scan

    async def rewarded(self, scan_id: str) -> Json:
        """The scan with its reward, which on a busy machine comes later than the end."""
        scan = await self.finished(scan_id)
        while "reward" not in scan:
            path = f"/v1/scans/{scan_id}?wait=20s&after_version={scan['version']}"
            scan = (await self.http.get(path, headers=self.headers, timeout=40)).json()
        return scan


Sign = Callable[..., Phone]


@pytest.fixture
async def sign_in(stack: Mapping[str, str]) -> AsyncIterator[Sign]:
    """Signs users in; each is a new one unless named."""
    tokens = Tokens(Secrets.load_or_create(Path(stack["VAR"]) / "secrets").signing_key)
    async with http_client(base_url=stack["ECO2_REST_URL"], timeout=20) as http:
        yield lambda user=None, language="ko": Phone(http, tokens.issue(user or f"user-{uuid.uuid4().hex}"), language)


@pytest.fixture
def phone(sign_in: Sign) -> Phone:
    """A new user."""
    return sign_in()


@pytest.fixture(scope="session")
def note_photo() -> bytes:
    """A note on paper, as JPEG: the classifier knows paper."""
    return note()


def jpeg(image: Image.Image, **options: Any) -> bytes:
    """The image as a JPEG file."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", **options)
    return file.getvalue()
