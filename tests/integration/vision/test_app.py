"""The service as it is composed, on real storage."""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image

from eco2.vision.v1.vision_service_pb2 import ClassifyRequest, MakeThumbnailRequest
from eco2.vision.v1.vision_service_pb2_grpc import VisionServiceStub
from tests.support.sample_photos import note
from vision_svc.app import NAME, application
from vision_svc.model import ModelUnusable
from vision_svc.settings import VisionSettings

_DECODER = "vision_svc.photos.decoder"


async def _until(channel: grpc.aio.Channel, status: int) -> None:
    """Waits until the service says so of itself."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=NAME), timeout=60)
    async for response in watch:
        if response.status == status:
            watch.cancel()
            return
    raise AssertionError("the health service ended its stream")


async def test_a_stored_photo_is_classified(settings: VisionSettings, put: Callable[[str, bytes], None]) -> None:
    """From the bucket to the answer."""
    key = f"tests/{uuid4()}"
    put(key, note())
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        await _until(channel, health_pb2.HealthCheckResponse.SERVING)
        call = VisionServiceStub(channel).Classify(ClassifyRequest(object_key=key), timeout=60)
        *_, last = [response async for response in call]
    assert last.result.classification.category.middle == "종이"


async def test_a_thumbnail_is_made_of_the_clean_copy_alone(
    settings: VisionSettings, put: Callable[[str, bytes], None]
) -> None:
    """An upload may be anything, and so may be what lies where a copy would be; neither is decoded for a thumbnail."""
    scan_id = uuid4()
    upload, copy = f"uploads/{scan_id}.jpg", f"photos/{scan_id}.jpg"
    put(upload, note())
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        await _until(channel, health_pb2.HealthCheckResponse.SERVING)
        stub = VisionServiceStub(channel)

        async def refused(key: str) -> grpc.StatusCode:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.MakeThumbnail(MakeThumbnailRequest(object_key=key, side=96), timeout=60)
            return caught.value.code()

        assert await refused(upload) is grpc.StatusCode.NOT_FOUND
        [_ async for _ in stub.Classify(ClassifyRequest(object_key=upload), timeout=60)]
        for key in (upload, copy):
            made = await stub.MakeThumbnail(MakeThumbnailRequest(object_key=key, side=96), timeout=60)
            with Image.open(BytesIO(made.jpeg)) as shown:
                assert max(shown.size) == 96
        put(copy, note())
        assert await refused(upload) is grpc.StatusCode.NOT_FOUND
        assert await refused("photos/../etc/passwd") is grpc.StatusCode.NOT_FOUND


async def test_health_tells_that_storage_is_down(settings: VisionSettings, unused_tcp_port: int) -> None:
    """No photo could be loaded, so no traffic should come."""
    nowhere = settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{unused_tcp_port}"})
    async with application(nowhere) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        await _until(channel, health_pb2.HealthCheckResponse.NOT_SERVING)


async def test_health_tells_that_no_photo_can_be_decoded(
    settings: VisionSettings, put: Callable[[str, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder doesn't find what the service finds, as after an installation by PYTHONPATH."""
    monkeypatch.setattr("vision_svc.photos.decoder_pool._COMMAND", (sys.executable, "-I", "-S", "-m", _DECODER))
    key = f"tests/{uuid4()}"
    put(key, note())
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [_ async for _ in VisionServiceStub(channel).Classify(ClassifyRequest(object_key=key), timeout=60)]
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        await _until(channel, health_pb2.HealthCheckResponse.NOT_SERVING)


async def test_without_its_model_the_service_does_not_start(settings: VisionSettings, tmp_path: Path) -> None:
    """A Vision that can't see must not look healthy for a moment."""
    blind = settings.model_copy(update={"vision_model": tmp_path / "none.onnx"})
    with pytest.raises(ModelUnusable):
        async with application(blind):
            pass
