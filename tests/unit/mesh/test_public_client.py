"""The client for addresses that people give us: the address that was checked is the one connected to."""

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mesh.addresses import IPAddress, open_public_client
from mesh.errors import InvalidArgument
from mesh.reasons import Reason

Connect = Callable[[httpx2.AsyncBaseTransport, "_Names"], Awaitable[httpx2.AsyncClient]]
_PUBLIC = "93.184.215.14"


class _Wire(httpx2.AsyncBaseTransport):
    """Remembers what was sent where, and answers as told."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = list(answers)
        self.sent: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        answer = self._answers.pop(0) if self._answers else httpx2.Response(200)
        if isinstance(answer, Exception):
            raise answer
        return answer


class _Names:
    """A resolver that answers each question with the next list."""

    def __init__(self, *answers: Sequence[str] | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        self.asked.append((host, port))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [ipaddress.ip_address(address) for address in answer]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens clients over a wire and a resolver; closed with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def opened(wire: httpx2.AsyncBaseTransport, names: _Names) -> httpx2.AsyncClient:
            return await stack.enter_async_context(open_public_client("image_url", inner=wire, resolver=names))

        yield opened


async def _refused(client: httpx2.AsyncClient, url: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await client.get(url)
    assert caught.value.reason is Reason.ADDRESS_REFUSED


async def test_the_checked_address_is_the_one_connected_to(connect: Connect) -> None:
    """A second question to DNS could get another answer, so there is none; TLS still speaks to the name."""
    wire, names = _Wire(), _Names([_PUBLIC], ["127.0.0.1"])
    reply = await (await connect(wire, names)).get("https://photos.example.com:8443/1.jpg?a=b")
    assert names.asked == [("photos.example.com", 8443)]
    (sent,) = wire.sent
    assert str(sent.url) == f"https://{_PUBLIC}:8443/1.jpg?a=b"
    assert sent.headers["host"] == "photos.example.com:8443"
    assert sent.extensions["sni_hostname"] == "photos.example.com"
    assert str(reply.url) == "https://photos.example.com:8443/1.jpg?a=b"


async def test_a_name_that_changes_its_mind_is_caught(connect: Connect) -> None:
    """DNS rebinding: public at the first request, inside at the second."""
    wire, names = _Wire(), _Names([_PUBLIC], ["10.0.0.1"])
    client = await connect(wire, names)
    await client.get("https://rebind.example.com/")
    await _refused(client, "https://rebind.example.com/")
    assert len(wire.sent) == 1


@pytest.mark.parametrize("addresses", [["10.0.0.1"], [_PUBLIC, "127.0.0.1"], ["::ffff:10.0.0.1"], []])
async def test_all_addresses_of_a_name_must_be_public(connect: Connect, addresses: list[str]) -> None:
    """One public address among others is how the check would be passed."""
    wire = _Wire()
    await _refused(await connect(wire, _Names(addresses)), "https://mixed.example.com/")
    assert not wire.sent


@pytest.mark.parametrize(
    "location",
    ["https://127.0.0.1/", "http://photos.example.com/", "https://inside.example.com/", "file:///etc/passwd"],
)
async def test_redirects_pass_the_same_gate(connect: Connect, location: str) -> None:
    """The commonest way in: a public address that sends us inside."""
    wire = _Wire(httpx2.Response(302, headers={"location": location}))
    client = await connect(wire, _Names([_PUBLIC], ["10.0.0.1"]))
    with pytest.raises((InvalidArgument, httpx2.UnsupportedProtocol)):
        await client.get("https://photos.example.com/")
    assert len(wire.sent) == 1


async def test_three_redirects_are_followed_and_no_more(connect: Connect) -> None:
    """Relative ones start from the name, not from the address connected to."""
    hop = [httpx2.Response(302, headers={"location": f"/{number}"}) for number in range(4)]
    wire = _Wire(*hop[:3])
    reply = await (await connect(wire, _Names(*[[_PUBLIC]] * 4))).get("https://photos.example.com/")
    assert str(reply.url) == "https://photos.example.com/2"
    with pytest.raises(httpx2.TooManyRedirects):
        await (await connect(_Wire(*hop), _Names(*[[_PUBLIC]] * 4))).get("https://photos.example.com/")


async def test_the_next_address_is_tried_when_one_does_not_answer(connect: Connect) -> None:
    """As every client does; all of them were checked."""
    wire = _Wire(httpx2.ConnectError("no route"))
    await (await connect(wire, _Names(["2606:4700::1", _PUBLIC]))).get("https://photos.example.com/")
    assert [sent.url.host for sent in wire.sent] == ["2606:4700::1", _PUBLIC]


async def test_a_literal_address_is_not_resolved(connect: Connect) -> None:
    """There is nothing to ask."""
    names = _Names()
    await (await connect(_Wire(), names)).get(f"https://{_PUBLIC}/")
    assert names.asked == []


@pytest.mark.parametrize(
    ("code", "expected"), [(socket.EAI_NONAME, InvalidArgument), (socket.EAI_AGAIN, httpx2.ConnectError)]
)
async def test_an_unknown_name_is_refused_and_a_silent_dns_is_not(
    connect: Connect, code: int, expected: type[Exception]
) -> None:
    """The first stays wrong; the second is worth another try."""
    with pytest.raises(expected):
        await (await connect(_Wire(), _Names(socket.gaierror(code, "dns")))).get("https://photos.example.com/")


async def test_strangers_leave_no_cookies(connect: Connect) -> None:
    """The client lives as long as the process and serves everybody."""
    wire = _Wire(httpx2.Response(200, headers={"set-cookie": "a=b"}))
    client = await connect(wire, _Names([_PUBLIC], [_PUBLIC]))
    await client.get("https://photos.example.com/")
    await client.get("https://photos.example.com/")
    assert "cookie" not in wire.sent[1].headers


class _Detour(httpx2.AsyncBaseTransport):
    """The internet in a thimble: whatever address is meant, the connection goes to a server on this machine."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, port: int) -> None:
        self._inner = inner
        self._port = port

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await self._inner.handle_async_request(request)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A TLS server with a certificate for photos.example.com: its port, and a context that trusts it."""
    certificate, key = _certificate("photos.example.com")
    (tmp_path / "pair.pem").write_bytes(certificate + key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "pair.pem")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        host = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(host), host))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as listening:
        trusting = ssl.create_default_context(cadata=certificate.decode())
        yield listening.sockets[0].getsockname()[1], trusting


def _certificate(name: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


async def test_the_certificate_is_checked_for_the_name(connect: Connect, server: tuple[int, ssl.SSLContext]) -> None:
    """Over real TLS: connecting to an address must not mean trusting whoever is there."""
    port, context = server
    async with httpx2.AsyncHTTPTransport(verify=context, trust_env=False) as inner:
        client = await connect(_Detour(inner, port), _Names([_PUBLIC], [_PUBLIC]))
        reply = await client.get("https://photos.example.com/")
        assert reply.content.lower() == b"host: photos.example.com"
        with pytest.raises(httpx2.ConnectError):
            await client.get("https://others.example.com/")
