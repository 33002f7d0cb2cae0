"""The world outside: an HTTPS server with a certificate of its own that keeps the webhooks it got, and has photos."""

import datetime
import ipaddress
import random
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.chaos.mesh.clients import photos

_REFUSES = 0.2


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it came.

    Attributes:
        client: Whose address it was sent to.
        headers: Its headers, in lower case.
        body: Its body.
        at: When, in seconds since the epoch.
        status: What it was answered.
    """

    client: str
    headers: dict[str, str]
    body: bytes
    at: float
    status: int

    @property
    def event_id(self) -> str:
        """What makes it the same webhook when it comes again."""
        return self.headers.get("webhook-id", "")

    @property
    def type(self) -> str:
        """Such as "scan.succeeded"."""
        kind: str = msgspec.json.decode(self.body)["type"]
        return kind

    @property
    def scan(self) -> dict[str, object]:
        """The scan that it tells of."""
        scan: dict[str, object] = msgspec.json.decode(self.body)["data"]["scan"]
        return scan


@dataclass(slots=True)
class Receiver:
    """What came, and how the next ones are answered.

    Attributes:
        chance: Decides which are refused.
        deliveries: All that came, in order.
        healthy: Refuse nothing any more.
    """

    chance: random.Random
    deliveries: list[Delivery] = field(default_factory=list)
    healthy: bool = False

    async def receive(self, request: web.Request) -> web.Response:
        """Takes most, and asks for some once more."""
        status = 204 if self.healthy or self.chance.random() > _REFUSES else 503
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.deliveries.append(Delivery(request.match_info["client"], headers, body, time.time(), status))
        return web.Response(status=status, headers={"Retry-After": "1"} if status == 503 else {})


async def _photo(request: web.Request) -> web.Response:
    """A photo of a number, for sheets of addresses."""
    content = photos.photo(int(request.match_info["number"]))
    return web.Response(body=content, content_type="image/jpeg")


@asynccontextmanager
async def receiving(address: str, folder: Path, seed: int) -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver on a port of an address, until the block is left.

    Yields:
        The receiver, and where its addresses begin.
    """
    receiver = Receiver(random.Random(seed))
    application = web.Application()
    application.router.add_post("/{client}", receiver.receive)
    application.router.add_get(r"/photos/{number:\d+}.jpg", _photo)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "receiver.pem")
    try:
        site = web.TCPSite(runner, address, 0, ssl_context=context)
        await site.start()
        yield receiver, f"https://{address}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def make_certificate(address: str, folder: Path) -> Path:
    """Writes a key with a certificate for an address, which certifies itself; returns the file to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chaos")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "trusted.pem").write_bytes(trusted)
    (folder / "receiver.pem").write_bytes(secret + trusted)
    return folder / "trusted.pem"
