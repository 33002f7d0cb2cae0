"""How the official SDK's requests get to a provider: over connections that are used again."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import openai
import pytest

from mesh.errors import EcoError
from mesh.reasons import Reason
from tests.integration.mesh.provider import PROMPT, Provider, certificate, hosted_model, streamed, terms

_EVENT = b'data: {"choices": [{"delta": {"content": "ok"}}]}\n\n'
_BEGUN = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(_EVENT), _EVENT)


async def test_answers_share_a_connection() -> None:
    """Whole ones and streams alike: else each would cost a handshake."""
    provider = Provider()
    async with hosted_model(provider) as model:
        for _ in range(5):
            assert (await model.complete(PROMPT, terms())).text == "ok"
            await streamed(model)
        # A connection is free again a moment after its answer has been read, in pyqwest's own threads.
        assert len(provider.heads) == 10
        assert provider.connections < 5
        for _ in range(3):
            await asyncio.gather(*(streamed(model) for _ in range(3)))
        assert provider.connections < 10


async def test_a_connection_that_was_closed_while_idle_costs_no_try() -> None:
    """Providers hang up when they like."""
    provider = Provider()
    provider.hangs_up = True
    async with hosted_model(provider) as model:
        for _ in range(3):
            await model.complete(PROMPT, terms())
            await asyncio.wait_for(provider.left.acquire(), 5)
    assert provider.connections == 3


async def test_requests_are_the_official_sdks() -> None:
    """With its headers and the key; nothing asks for compression, which isn't undone."""
    provider = Provider()
    async with hosted_model(provider) as model:
        await model.complete(PROMPT, terms())
    first, *lines = provider.heads[0].decode().strip().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert first == "POST /v1/chat/completions HTTP/1.1"
    assert headers["authorization"] == "bearer sk-nobody"
    assert headers["x-stainless-package-version"] == openai.__version__
    assert headers["content-type"] == "application/json"
    assert headers["host"].startswith("localhost:")
    assert "accept-encoding" not in headers


async def test_tls_is_verified_and_its_connections_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key goes to nobody whose certificate isn't trusted."""
    path, context = certificate(tmp_path)
    provider = Provider()
    async with hosted_model(provider, context) as model:
        with pytest.raises(EcoError) as refused:
            await model.complete(PROMPT, terms())
    assert (refused.value.reason, provider.heads) == (Reason.MODEL_UNAVAILABLE, [])
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    provider = Provider()
    async with hosted_model(provider, context) as model:
        await model.complete(PROMPT, terms())
        await streamed(model)
    assert (provider.connections, len(provider.heads)) == (1, 2)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"])
async def test_a_request_that_is_cancelled_is_aborted(said: bytes) -> None:
    """Before its response and in the middle of it: else the provider would go on, and the connection stay taken."""
    provider = Provider()
    provider.instead = said
    async with hosted_model(provider) as model:
        asking = asyncio.create_task(model.complete(PROMPT, terms()))
        await asyncio.wait_for(provider.asked.acquire(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(provider.left.acquire(), 5)
        await model.complete(PROMPT, terms())
    assert provider.connections == 2


async def test_a_stream_that_is_left_early_is_aborted() -> None:
    """Nobody pays for what nobody reads; and what is left of it isn't taken for the next answer."""
    provider = Provider()
    provider.instead = _BEGUN
    async with hosted_model(provider) as model:
        async with aclosing(model.stream(PROMPT, terms())) as pieces:
            assert await anext(pieces) == "ok"
        await asyncio.wait_for(provider.left.acquire(), 5)
        await streamed(model)
    assert provider.connections == 2


async def test_a_redirect_is_not_followed() -> None:
    """The key goes to the address that was configured, and nowhere else."""
    provider, other = Provider(), Provider()
    async with hosted_model(other):
        elsewhere = f"http://localhost:{other.port}/v1/chat/completions"
        provider.instead = f"HTTP/1.1 307 Moved\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n".encode()
        async with hosted_model(provider) as model:
            with pytest.raises(EcoError) as refused:
                await model.complete(PROMPT, terms())
    assert (refused.value.reason, other.heads) == (Reason.MODEL_REJECTED, [])


async def test_a_cookie_is_not_sent_back() -> None:
    """A provider isn't to know from a cookie which requests have one user's."""
    provider = Provider()
    provider.instead = b"HTTP/1.1 400 No\r\nset-cookie: a=b; Path=/\r\ncontent-length: 0\r\n\r\n"
    async with hosted_model(provider) as model:
        with pytest.raises(EcoError):
            await model.complete(PROMPT, terms())
        await model.complete(PROMPT, terms())
    assert [b"cookie" in head.lower() for head in provider.heads] == [False, False]


async def test_a_response_without_end_is_given_up() -> None:
    """After 16 MiB, whole or streamed."""
    provider = Provider()
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + bytes(17 << 20)
    async with hosted_model(provider) as model:
        for ask in (lambda: model.complete(PROMPT, terms()), lambda: streamed(model)):
            provider.instead = endless
            with pytest.raises(EcoError) as refused:
                await ask()
            assert refused.value.reason is Reason.MODEL_UNAVAILABLE
