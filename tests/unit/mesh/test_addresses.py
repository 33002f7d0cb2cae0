"""Which addresses are used, and that the one checked is the one connected to."""

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

from mesh.addresses import IPAddress, check_url, is_public, open_public_client
from mesh.errors import InvalidArgument
from mesh.reasons import Reason

Connect = Callable[[httpx2.AsyncBaseTransport, "_Names"], Awaitable[httpx2.AsyncClient]]

_PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible
        "::ffff:127.0.0.1",  # IPv4-mapped
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",  # IPv4-translated
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",  # discard
        "2001::1",  # Teredo
        "2001:2::1",  # benchmarks
        "2001:10::1",  # ORCHID
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4
        "3fff::1",
        "5f00::1",  # segment routing
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "fec0::1",  # site-local
        "ff02::1",
    ],
)
def test_special_addresses_are_not_public(address: str) -> None:
    """Each block of IANA's registry, and each way to hide an IPv4 address in an IPv6 one."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
        "2a00:1450::1",
    ],
)
def test_neighbours_of_special_blocks_are_public(address: str) -> None:
    """Nothing more is refused than must be."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.jpg?b=c#d",
        "https://EXAMPLE.com",
        "https://a.b-c.example.com:8443/",
        "https://한국.kr/사진.jpg",
        "https://8.8.8.8/a.jpg",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_public_https_addresses_pass(url: str) -> None:
    """Names, ports, and literal addresses."""
    assert check_url(url, "image_url").scheme == "https"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/a.jpg",
        "//example.com/a.jpg",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "data:image/png;base64,AAAA",
        "https://",
        "https:///a.jpg",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://a.localhost/",
        "https://example.com./",
        "https://redis/",
        "https://redis.default.svc.cluster.local/",
        "https://metadata.google.internal/",
        "https://printer.home.arpa/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://010.8.8.8/",
        "https://127.0.0.1./",
        "https://127.0.0.1.:443/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com\n/",
        "https://-example.com/",
        "https://example..com/",
    ],
)
def test_other_addresses_are_refused_without_asking_dns(url: str) -> None:
    """Other schemes, user info, inner names, and every spelling of an address that isn't public."""
    with pytest.raises(InvalidArgument) as caught:
        check_url(url, "callback_url")
    assert caught.value.reason is Reason.ADDRESS_REFUSED
    assert caught.value.metadata == {"field": "callback_url"}
    assert [violation.field for violation in caught.value.violations] == ["callback_url"]


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
