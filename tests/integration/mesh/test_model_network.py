"""Between us and a provider: forward proxies, and HTTP/2 over one connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event, RequestReceived, StreamEnded, StreamReset

from mesh.models.factory import open_models
from mesh.models.settings import ModelSettings
from mesh.observability.instruments import Instruments
from tests.integration.mesh.provider import PROMPT, WHOLE, Provider, certificate, hosted_model, streamed, terms


class _Proxy:
    """A forward proxy: tunnels what asks for it by CONNECT, and answers nothing else.

    Attributes:
        url: Its address.
        asked: The first line of every request.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.decode().partition("\r\n")[0])
        host, _, port = head.split()[1].decode().rpartition(":")
        there, out = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(reader, out), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def _proxy() -> AsyncIterator[_Proxy]:
    proxy, tunnels = _Proxy(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tunnels.add(task)
        await proxy.serve(reader, writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield proxy
        await asyncio.gather(*tunnels)


async def test_a_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`HTTPS_PROXY`, for whole answers and streams; TLS goes through it to the provider itself."""
    path, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    provider = Provider()
    async with _proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with hosted_model(provider, context) as model:
            assert (await model.complete(PROMPT, terms())).text == "ok"
            await streamed(model)
    assert proxy.asked == [f"CONNECT localhost:{provider.port} HTTP/1.1"]
    assert len(provider.heads) == 2


async def test_hosts_without_a_proxy_are_asked_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`NO_PROXY`: a gateway in the cluster isn't behind the proxy to the internet."""
    path, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    provider = Provider()
    async with _proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "localhost")
        async with hosted_model(provider, context) as model:
            assert (await model.complete(PROMPT, terms())).text == "ok"
    assert (proxy.asked, len(provider.heads)) == ([], 1)


class _Http2(asyncio.Protocol):
    """One connection of a provider that speaks HTTP/2 and leaves the first request of each without an answer.

    Args:
        connections: Gets every connection that is made.

    Attributes:
        asked: The streams of the requests.
        reset: The streams that were given up by the client.
    """

    def __init__(self, connections: "asyncio.Queue[_Http2]") -> None:
        self.asked: asyncio.Queue[int] = asyncio.Queue()
        self.reset: asyncio.Queue[int] = asyncio.Queue()
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._silent: int | None = None
        connections.put_nowait(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._h2.initiate_connection()
        transport.write(self._h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            self._happened(event)
        self._transport.write(self._h2.data_to_send())

    def _happened(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._silent = self._silent or event.stream_id
            self.asked.put_nowait(event.stream_id)
        elif isinstance(event, StreamEnded) and event.stream_id != self._silent:
            self._h2.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/json")])
            self._h2.send_data(event.stream_id, WHOLE, end_stream=True)
        elif isinstance(event, StreamReset):
            self.reset.put_nowait(event.stream_id)


async def test_http2_is_spoken_where_tls_negotiates_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection for all; a silent request holds up no other, and is reset when its caller leaves."""
    path, context = certificate(tmp_path)
    context.set_alpn_protocols(["h2"])
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    connections: asyncio.Queue[_Http2] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: _Http2(connections), "127.0.0.1", 0, ssl=context) as server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
        settings = ModelSettings(openai_api_key="sk-nobody", openai_base_url=url, model_attempts=1)
        async with open_models(settings, ["gpt-4.1-mini"], Instruments.off()) as [model]:
            silent = asyncio.create_task(model.complete(PROMPT, terms()))
            connection = await asyncio.wait_for(connections.get(), 5)
            first = await asyncio.wait_for(connection.asked.get(), 5)
            for _ in range(3):
                assert (await model.complete(PROMPT, terms())).text == "ok"
            silent.cancel()
            assert await asyncio.wait_for(connection.reset.get(), 5) == first
            assert (await model.complete(PROMPT, terms())).text == "ok"
    assert connections.empty()
