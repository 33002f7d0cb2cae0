"""One user's slow photos and dripping addresses, and another user's photo: real decoders, over the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc
import httpx2
import pytest

from eco2.vision.v1.vision_service_pb2 import ClassifyRequest, ClassifyResponse
from mesh.grpc.identity import on_behalf_of
from tests.integration.vision.bombs import jpeg_of_scans
from tests.support.running_vision import running_vision
from tests.support.sample_photos import note
from tests.unit.vision.classify_parts import ScriptedModel
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.decoder_pool import open_decoder_pool

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.vision.v1.vision_service_pb2_grpc import VisionServiceAsyncStub

    Call = grpc.aio.UnaryStreamCall[ClassifyRequest, ClassifyResponse]

SLOW, DRIPPING = 14, 24
_SECONDS = 10.0  # what a slow photo takes the decoder, and how long this may be told apart from at once


class Web:
    """A server that drips for ever, and one that doesn't."""

    def __init__(self) -> None:
        self.dripping = asyncio.Semaphore(0)

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "drip.example.com":
            return httpx2.Response(200, content=self._drip())
        return httpx2.Response(200, stream=httpx2.ByteStream(note()))

    async def _drip(self) -> AsyncIterator[bytes]:
        self.dripping.release()
        yield b"\xff"
        await asyncio.Event().wait()


class Vision:
    """A client of the running service, that speaks for users."""

    def __init__(self, stub: "VisionServiceAsyncStub") -> None:
        self._stub = stub
        self._calls: list[Call] = []

    def classify(self, user: str, request: ClassifyRequest) -> "Call":
        metadata = (on_behalf_of(user),) if user else ()
        call = self._stub.Classify(request, timeout=60, metadata=metadata)
        self._calls.append(call)
        return call

    async def is_first(self, call: "Call") -> None:
        """Waits for the result of one call; no other may have ended by then."""
        async for response in call:
            if response.HasField("result"):
                break
        assert response.HasField("result")
        assert [other for other in self._calls if other is not call and other.done()] == []

    def cancel(self) -> None:
        for call in self._calls:
            call.cancel()


@asynccontextmanager
async def _running(web: Web) -> AsyncIterator[Vision]:
    """The service with as many slots as by default, two decoders, and a model that takes no time."""
    photos = {"note": note(), **{f"slow {number}": _slow() for number in range(SLOW)}}
    async with (
        httpx2.AsyncClient(transport=httpx2.MockTransport(web.answer)) as client,
        open_decoder_pool(2, _SECONDS) as decoders,
        running_vision(
            photos,
            client,
            decoders,
            ScriptedModel(),
            inside=Bulkhead(16, 1000),
            outside=Bulkhead(4, 1000),
            seconds=2 * _SECONDS,
        ) as stub,
    ):
        vision = Vision(stub)
        yield vision
        vision.cancel()


def _slow() -> bytes:
    return jpeg_of_scans(20_000)


async def _slow_photos(vision: Vision, _: Web) -> None:
    calls = [vision.classify("slow", ClassifyRequest(object_key=f"slow {number}")) for number in range(SLOW)]
    for call in calls:
        await call.read()  # it is loaded, and waits for a decoder or is in one


async def _dripping_addresses(vision: Vision, web: Web) -> None:
    for number in range(DRIPPING):
        vision.classify("slow", ClassifyRequest(image_url=f"https://drip.example.com/{number}"))
    for _ in range(4):
        await web.dripping.acquire()


@pytest.mark.parametrize("user", ["honest", ""], ids=["a user", "nobody in particular"])
async def test_a_photo_doesnt_wait_for_another_users_slow_ones(user: str) -> None:
    """It waited 61 s behind 14 that take the decoder 10 s each; now it is done before the first of them."""
    web = Web()
    async with _running(web) as vision:
        await _slow_photos(vision, web)
        await vision.is_first(vision.classify(user, ClassifyRequest(object_key="note")))


async def test_an_address_doesnt_wait_for_another_users_dripping_ones() -> None:
    """It waited 120 s behind 24 that drip; now it is done before the first of them is given up."""
    web = Web()
    async with _running(web) as vision:
        await _dripping_addresses(vision, web)
        await vision.is_first(vision.classify("honest", ClassifyRequest(image_url="https://photos.example.com/1.jpg")))
