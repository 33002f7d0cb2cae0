"""Object storage that takes no photos: Scan, Vision and the real storage behind a door that can be shut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from PIL import ExifTags, Image

from eco2.scan.v1 import scan_pb2
from scan_svc.settings import StageSettings
from tests.integration.scan.client import StartScanService
from tests.support.scan.vision_service import Eye, vision_service
from tests.support.storage import Storage
from tests.support.waiting import eventually

_REFUSAL = b"HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Door:
    """Passes everything on to storage; while it is shut, uploads are answered like by a full one."""

    def __init__(self, endpoint: str) -> None:
        self._storage = urlsplit(endpoint)
        self.shut = False
        self.refused = 0

    async def has_refused_two_tries(self) -> bool:
        """Vision asks three times each time it is asked."""
        return self.refused > 3

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        upstream, storage = await asyncio.open_connection(self._storage.hostname, self._storage.port)
        back = asyncio.create_task(_copy(upstream, writer))
        try:
            while piece := await reader.read(1 << 16):
                if self.shut and piece.startswith(b"PUT "):
                    self.refused += 1
                    writer.write(_REFUSAL)
                    return
                storage.write(piece)
        except ConnectionError:
            pass
        finally:
            back.cancel()
            storage.close()
            writer.close()


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await source.read(1 << 16):
            to.write(piece)
    to.close()


@pytest.fixture
def photo() -> bytes:
    """As a phone takes it: it tells whose."""
    file, exif = BytesIO(), Image.Exif()
    exif[ExifTags.Base.Make] = "Phone"
    Image.effect_noise((320, 200), 80).convert("RGB").save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.fixture
async def door(s3: Storage) -> AsyncIterator[tuple[Door, str]]:
    """A door, and where it is."""
    door = Door(s3.endpoint)
    async with await asyncio.start_server(door.serve, "127.0.0.1", 0) as server:
        yield door, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_scan_waits_for_storage_and_pays_for_one_look(
    start_scan_service: StartScanService, s3: Storage, door: tuple[Door, str], photo: bytes
) -> None:
    """With more refusals than its stage has tries. It succeeds with nothing but pixels in storage."""
    storage, endpoint = door
    eye = Eye()
    async with vision_service(s3, eye, endpoint) as target:
        stages = {"vision": StageSettings(attempts=1)}
        async with start_scan_service(vision_target=target, stages=stages) as client:
            created = await client.create(photo)
            (await client.put(created.upload, photo)).raise_for_status()
            storage.shut = True
            await client.start(created.scan.scan_id)
            await eventually(storage.has_refused_two_tries)
            assert (await client.get(created.scan.scan_id)).state != scan_pb2.Scan.STATE_FAILED
            storage.shut = False
            scan = await client.finished(created.scan.scan_id)
    assert (scan.state, eye.looks) == (scan_pb2.Scan.STATE_SUCCEEDED, 1)
    stage = next(stage for stage in scan.stages if stage.stage == "vision")
    assert stage.usage.cost_micro_usd == 5
