"""Downloads from outside: what is taken, and how they end."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from mesh.errors import EcoError, InvalidArgument, NotFound, Unavailable
from mesh.reasons import Reason
from vision_svc.photos.download import PhotoDownloader
from vision_svc.photos.memfile import memfile
from vision_svc.photos.photos import MAX_BYTES

_URL = "https://photos.example.com/1.jpg"


def _web(
    answer: Callable[[httpx2.Request], httpx2.Response], seconds: float = 5.0, grace_seconds: float = 5.0
) -> PhotoDownloader:
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return PhotoDownloader(client, seconds, grace_seconds=grace_seconds)


def _reply(content: bytes, headers: dict[str, str] | None = None) -> httpx2.Response:
    return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(content))


async def _loaded(web: PhotoDownloader) -> bytes:
    with memfile() as file:
        await web.load(_URL, file)
        return os.pread(file.descriptor, len(file), 0)


async def _refusal(web: PhotoDownloader) -> EcoError:
    with pytest.raises(EcoError) as caught:
        await _loaded(web)
    return caught.value


async def test_the_file_comes_as_it_is() -> None:
    """Compression isn't asked for."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["accept-encoding"] == "identity"
        return _reply(b"photo")

    assert await _loaded(_web(answer)) == b"photo"


async def test_compression_is_not_unpacked() -> None:
    """A kilobyte could become a gigabyte; packed, it is simply no photo."""
    packed = gzip.compress(bytes(1_000_000))
    web = _web(lambda _: _reply(packed, {"content-encoding": "gzip"}))
    assert await _loaded(web) == packed


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_gone_is_not_found(status: int) -> None:
    """Trying again won't help."""
    error = await _refusal(_web(lambda _: httpx2.Response(status)))
    assert isinstance(error, NotFound)
    assert error.reason is Reason.PHOTO_NOT_FOUND


@pytest.mark.parametrize("status", [302, 403, 429, 500, 503])
async def test_other_answers_are_failed_fetches(status: int) -> None:
    """They may be different the next time; a redirect to nowhere is one of them."""
    error = await _refusal(_web(lambda _: httpx2.Response(status)))
    assert isinstance(error, Unavailable)
    assert error.reason is Reason.PHOTO_FETCH_FAILED
    assert error.metadata["status"] == str(status)


async def test_an_empty_answer_is_an_empty_photo() -> None:
    """Told apart from a broken one."""
    assert (await _refusal(_web(lambda _: _reply(b"")))).reason is Reason.PHOTO_EMPTY


async def test_an_endless_answer_is_cut_off() -> None:
    """Whatever length it announces, or none; little more than the limit is ever read."""
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(1 << 20)

    error = await _refusal(_web(lambda _: httpx2.Response(200, content=pieces())))
    assert isinstance(error, InvalidArgument)
    assert error.reason is Reason.PHOTO_TOO_LARGE
    assert sent <= (MAX_BYTES >> 20) + 1


async def test_a_dripping_server_can_not_stretch_the_time() -> None:
    """The limit is for the whole download."""

    async def drip() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    error = await _refusal(_web(lambda _: httpx2.Response(200, content=drip()), seconds=0.05))
    assert error.reason is Reason.PHOTO_FETCH_FAILED
    assert error.metadata["status"] == "timeout"


async def test_a_broken_connection_is_a_failed_fetch() -> None:
    """No status to tell, so the kind of failure stands there."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    error = await _refusal(_web(answer))
    assert error.reason is Reason.PHOTO_FETCH_FAILED
    assert error.metadata["status"] == "ConnectError"


async def test_a_server_that_drips_is_given_up_long_before_the_end() -> None:
    """It would keep a place for the whole time, for next to nothing."""

    async def drip() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    web = _web(lambda _: httpx2.Response(200, content=drip()), seconds=300.0, grace_seconds=0.05)
    async with asyncio.timeout(60):
        error = await _refusal(web)
    assert isinstance(error, Unavailable)
    assert error.reason is Reason.PHOTO_FETCH_FAILED
    assert error.metadata["status"] == "too slow"


async def test_what_has_come_buys_time() -> None:
    """A server that was quick and then pauses isn't slow: the rate is that of the whole."""
    resumed = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield bytes(10 << 20)
        asyncio.get_running_loop().call_later(0.1, resumed.set)
        await resumed.wait()
        yield b"photo"

    web = _web(lambda _: httpx2.Response(200, content=pieces()), seconds=300.0, grace_seconds=0.05)
    assert await _loaded(web) == bytes(10 << 20) + b"photo"
