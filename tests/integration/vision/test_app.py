"""The service as it is composed, on real storage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from eco2.vision.v1.vision_service_pb2 import ClassifyRequest
from eco2.vision.v1.vision_service_pb2_grpc import VisionServiceStub
from tests.support.sample_photos import note
from vision_svc.app import NAME, application
from vision_svc.model import ModelUnusable
from vision_svc.settings import VisionSettings


async def _health(channel: grpc.aio.Channel) -> int:
    """The first word of the health service that isn't "unknown"."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=NAME), timeout=10)
    async for response in watch:
        if response.status != health_pb2.HealthCheckResponse.SERVICE_UNKNOWN:
            watch.cancel()
            return int(response.status)
    raise AssertionError("the health service ended its stream")


async def test_a_stored_photo_is_classified(settings: VisionSettings, put: Callable[[str, bytes], None]) -> None:
    """From the bucket to the answer."""
    key = f"tests/{uuid4()}"
    put(key, note())
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        assert await _health(channel) == health_pb2.HealthCheckResponse.SERVING
        call = VisionServiceStub(channel).Classify(ClassifyRequest(object_key=key), timeout=10)
        *_, last = [response async for response in call]
    assert last.result.classification.category.middle == "종이"


async def test_health_tells_that_storage_is_down(settings: VisionSettings, unused_tcp_port: int) -> None:
    """No photo could be loaded, so no traffic should come."""
    nowhere = settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{unused_tcp_port}"})
    async with application(nowhere) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        assert await _health(channel) == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_without_its_model_the_service_does_not_start(settings: VisionSettings, tmp_path: Path) -> None:
    """A Vision that can't see must not look healthy for a moment."""
    blind = settings.model_copy(update={"vision_model": tmp_path / "none.onnx"})
    with pytest.raises(ModelUnusable):
        async with application(blind):
            pass
