"""A provider of models that counts connections, and a hosted model that asks it."""

import asyncio
import contextlib
import datetime
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mesh.models.client import HostedModel
from mesh.models.factory import open_models
from mesh.models.settings import ModelSettings
from mesh.models.usage import Terms
from mesh.models.wire import Prompt
from mesh.observability.instruments import Instruments

PROMPT = Prompt([{"role": "user", "content": "?"}], "answer", msgspec.Raw(b"{}"), 10, 1)
WHOLE = b'{"model": "m", "choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}'
_STREAM = WHOLE.replace(b'{"model"', b'data: {"model"').replace(b"message", b"delta") + b"\n\ndata: [DONE]\n\n"


class Provider:
    """Answers every request, and counts connections.

    Attributes:
        port: Where it listens.
        connections: How many were made.
        heads: Of the requests.
        hangs_up: Whether it closes a connection after an answer, without saying so before.
        instead: What it says once instead of an answer, and nothing after that.
        asked: Requests that have come.
        left: Connections whose other end has gone.
        serving: A task for each connection.
    """

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.heads: list[bytes] = []
        self.hangs_up = False
        self.instead: bytes | None = None
        self.asked = asyncio.Semaphore(0)
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
                request = await reader.readexactly(length)
                self.asked.release()
                if self.instead is not None:
                    said, self.instead = self.instead, None
                    writer.write(said)
                    continue
                if b'"stream":true' in request:
                    frame = b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(_STREAM), _STREAM)
                else:
                    frame = b"content-length: %d\r\n\r\n%b" % (len(WHOLE), WHOLE)
                writer.write(b"HTTP/1.1 200 OK\r\n" + frame)
                if self.hangs_up:
                    writer.write_eof()
        self.left.release()
        writer.close()


@asynccontextmanager
async def hosted_model(provider: Provider, tls: ssl.SSLContext | None = None) -> AsyncIterator[HostedModel]:
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=tls)
    provider.port = server.sockets[0].getsockname()[1]
    url = f"{'https' if tls else 'http'}://localhost:{provider.port}/v1"
    settings = ModelSettings(openai_api_key="sk-nobody", openai_base_url=url, model_attempts=1)
    async with server:
        async with open_models(settings, ["gpt-4.1-mini"], Instruments.off()) as [model]:
            yield model
        await asyncio.gather(*(task for task in provider.serving if task))


def terms() -> Terms:
    return Terms("mina", time.monotonic() + 10)


async def streamed(model: HostedModel) -> None:
    async with aclosing(model.stream(PROMPT, terms())) as pieces:
        async for _ in pieces:
            pass


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that signs itself, and a server's context with it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
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
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, key_path)
    return path, context
