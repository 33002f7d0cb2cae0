"""The operators' check: storage that keeps to everything, and storage that takes anything from anybody."""

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from mesh.s3 import check

if TYPE_CHECKING:
    from tests.support.storage import Storage

_TAKEN_RIGHTLY = {
    "a signed upload is taken",
    "type and metadata are kept with an object",
    "anybody reads a clean photo at ECO2_CDN_BASE_URL",
}


class Careless:
    """Storage that looks at no signature and no condition.

    Attributes:
        objects: What was put, by path: content and headers.
    """

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        """Does what it is asked for."""
        if request.method == "PUT":
            content = await request.read()
            kept = {name.lower(): value for name, value in request.headers.items()}
            headers = {name: kept[name] for name in kept if name == "content-type" or name.startswith("x-amz-meta-")}
            self.objects[request.path] = (content, headers)
        elif request.method == "DELETE":
            self.objects.pop(request.path, None)
            return web.Response(status=204)
        elif request.method == "POST":  # removes several
            keys = re.findall("<Key>(.*?)</Key>", await request.text())
            for key in keys:
                self.objects.pop(f"{request.path}/{key}", None)
            removed = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            return web.Response(text=f"<DeleteResult>{removed}</DeleteResult>")
        elif "list-type" in request.query:
            return web.Response(text="<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        elif request.path not in self.objects:
            return web.Response(status=404)
        content, headers = self.objects[request.path]
        told = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "Last-Modified": "Sun, 29 Nov 2026 08:00:00 GMT"}
        return web.Response(body=content, headers={**headers, **told})


def _set(monkeypatch: pytest.MonkeyPatch, endpoint: str, cdn: str, bucket: str, key: str, secret: str) -> None:
    for name, value in {
        "ECO2_S3_ENDPOINT": endpoint,
        "ECO2_CDN_BASE_URL": cdn,
        "ECO2_S3_BUCKET": bucket,
        "ECO2_S3_ACCESS_KEY": key,
        "ECO2_S3_SECRET_KEY": secret,
    }.items():
        monkeypatch.setenv(name, value)


def test_the_embedded_storage_keeps_to_everything(
    s3: "Storage", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Conditions too when several come at once; ADR 0051 lists the servers that don't."""
    _set(monkeypatch, s3.endpoint, s3.cdn_base_url, s3.bucket, s3.access_key, s3.secret_key)
    check.main()
    verdicts = [line[:6] for line in capsys.readouterr().out.splitlines()]
    assert verdicts == ["kept  "] * 25


async def test_storage_that_takes_anything_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command fails, names each fault, and leaves nothing behind."""
    storage = Careless()
    server = web.ServerRunner(web.Server(storage.answer))
    await server.setup()
    try:
        site = web.TCPSite(server, "127.0.0.1", 0)
        await site.start()
        endpoint = f"http://127.0.0.1:{server.addresses[0][1]}"
        _set(monkeypatch, endpoint, f"{endpoint}/photos", "photos", "key", "secret")
        with pytest.raises(SystemExit, match="22 of 25"):
            await asyncio.to_thread(check.main)
    finally:
        await server.cleanup()
    told = capsys.readouterr().out.splitlines()
    assert {line[7:] for line in told if line.startswith("kept")} == _TAKEN_RIGHTLY
    assert sum(line.startswith("BROKEN") for line in told) == 22
    assert storage.objects == {}


def test_storage_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the connection failed of, since it is the operator who reads it."""
    _set(monkeypatch, "http://127.0.0.1:9", "http://127.0.0.1:9/photos", "photos", "key", "secret")
    with pytest.raises(SystemExit, match=r"^S3: .*127\.0\.0\.1:9"):
        check.main()
