"""How the official SDK's requests get to a provider: over connections that are used again."""

import asyncio
import contextlib
import datetime
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import msgspec
import openai
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mesh.errors import EcoError
from mesh.models.client import HostedModel
from mesh.models.factory import open_models
from mesh.models.settings import ModelSettings
from mesh.models.usage import Terms
from mesh.models.wire import Prompt
from mesh.reasons import Reason

_PROMPT = Prompt([{"role": "user", "content": "?"}], "answer", msgspec.Raw(b"{}"), 10, 1)
_WHOLE = b'{"model": "m", "choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}'
_STREAM = _WHOLE.replace(b'{"model"', b'data: {"model"').replace(b"message", b"delta") + b"\n\ndata: [DONE]\n\n"


class _Provider:
    """Answers every request, and counts connections.

    Attributes:
        connections: How many were made.
        heads: Of the requests.
        hangs_up: Whether it closes a connection after an answer, without saying so before.
        left: Connections whose other end has gone.
        serving: A task for each connection.
    """

    def __init__(self) -> None:
        self.connections = 0
        self.heads: list[bytes] = []
        self.hangs_up = False
        self.left = asyncio.Semaphore(0)
        self.serving: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.serving.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                if b'"stream":true' in await reader.readexactly(length):
                    frame = b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(_STREAM), _STREAM)
                else:
                    frame = b"content-length: %d\r\n\r\n%b" % (len(_WHOLE), _WHOLE)
                writer.write(b"HTTP/1.1 200 OK\r\n" + frame)
                if self.hangs_up:
                    writer.write_eof()
        self.left.release()
        writer.close()


@asynccontextmanager
async def _model(provider: _Provider, tls: ssl.SSLContext | None = None) -> AsyncIterator[HostedModel]:
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    url = f"{'https' if tls else 'http'}://localhost:{port}/v1"
    settings = ModelSettings(openai_api_key="sk-nobody", openai_base_url=url, model_attempts=1)
    async with server:
        async with open_models(settings, ["gpt-4.1-mini"]) as [model]:
            yield model
        await asyncio.gather(*(task for task in provider.serving if task))


def _terms() -> Terms:
    return Terms("mina", time.monotonic() + 10)


async def _streamed(model: HostedModel) -> None:
    async with aclosing(model.stream(_PROMPT, _terms())) as pieces:
        async for _ in pieces:
            pass


async def test_answers_share_a_connection() -> None:
    """Whole ones and streams alike: else each would cost a handshake."""
    provider = _Provider()
    async with _model(provider) as model:
        for _ in range(5):
            assert (await model.complete(_PROMPT, _terms())).text == "ok"
            await _streamed(model)
        assert (provider.connections, len(provider.heads)) == (1, 10)
        await asyncio.gather(*(_streamed(model) for _ in range(3)))
        await asyncio.gather(*(_streamed(model) for _ in range(3)))
        assert provider.connections == 3


async def test_a_connection_that_was_closed_while_idle_costs_no_try() -> None:
    """Providers hang up when they like."""
    provider = _Provider()
    provider.hangs_up = True
    async with _model(provider) as model:
        for _ in range(3):
            await model.complete(_PROMPT, _terms())
            await asyncio.wait_for(provider.left.acquire(), 5)
    assert provider.connections == 3


async def test_requests_are_the_official_sdks() -> None:
    """With its headers and the key; nothing asks for compression, which isn't undone."""
    provider = _Provider()
    async with _model(provider) as model:
        await model.complete(_PROMPT, _terms())
    first, *lines = provider.heads[0].decode().strip().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert first == "POST /v1/chat/completions HTTP/1.1"
    assert headers["authorization"] == "bearer sk-nobody"
    assert headers["x-stainless-package-version"] == openai.__version__
    assert headers["content-type"] == "application/json"
    assert headers["host"].startswith("localhost:")
    assert "accept-encoding" not in headers


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that signs itself, and a server's context with it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "certificate.pem", folder / "key.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, key_path)
    return path, context


async def test_tls_is_verified_and_its_connections_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key goes to nobody whose certificate isn't trusted."""
    path, context = _certificate(tmp_path)
    provider = _Provider()
    async with _model(provider, context) as model:
        with pytest.raises(EcoError) as refused:
            await model.complete(_PROMPT, _terms())
    assert (refused.value.reason, provider.heads) == (Reason.MODEL_UNAVAILABLE, [])
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    provider = _Provider()
    async with _model(provider, context) as model:
        await model.complete(_PROMPT, _terms())
        await _streamed(model)
    assert (provider.connections, len(provider.heads)) == (1, 2)
