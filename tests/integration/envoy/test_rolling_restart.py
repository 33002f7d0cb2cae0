"""Two replicas are replaced one after the other, under load: no call is lost.

A service that ends goes on serving until the edge has noticed. How often the edge looks and how long a service drains
are three tenths of what they are by default: the test takes seconds, and their ratio decides.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from opentelemetry.trace import NoOpTracer

from eco2.character.v1 import character_service_pb2, character_service_pb2_grpc
from mesh.grpc.server import Service, serving
from mesh.observability.telemetry import Telemetry
from mesh.settings import ServiceSettings
from tests.support.edge.envoy import running
from tests.support.http import http_client
from tests.support.ports import free_port

NAME = "eco2.character.v1.CharacterService"
_TELEMETRY = Telemetry(NoOpTracer())
CLIENTS = 3
SCALE = 0.3


class Characters(character_service_pb2_grpc.CharacterServiceServicer):
    """One replica. `asked` is set once calls come to it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def ListCharacters(self, request: Any, context: Any) -> character_service_pb2.ListCharactersResponse:
        self.asked.set()
        await asyncio.sleep(0)  # others get a turn, as they do in a call that asks a store
        return character_service_pb2.ListCharactersResponse()


@asynccontextmanager
async def replica(port: int, drain_seconds: float) -> AsyncIterator[Characters]:
    """One replica from start to end, as the service's own program runs it."""
    characters = Characters()
    settings = ServiceSettings(listen=f"127.0.0.1:{port}", drain_seconds=drain_seconds, grace_seconds=2)
    service = Service(NAME, character_service_pb2_grpc.add_CharacterServiceServicer_to_server, characters)
    async with serving(settings, [service], telemetry=_TELEMETRY):
        yield characters


async def test_a_rolling_restart_loses_no_call(tmp_path: Path) -> None:
    """The load goes on all the while, and each new replica gets its share before the next one ends."""
    ports = [free_port(), free_port()]
    outcomes: list[int] = []
    over = asyncio.Event()

    def two_replicas(config: dict[str, Any]) -> None:
        (cluster,) = (each for each in config["static_resources"]["clusters"] if each["name"] == "character")
        endpoints = [
            {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
            for port in ports
        ]
        cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]
        (check,) = cluster["health_checks"]
        for name in ("interval", "no_traffic_interval", "unhealthy_interval"):
            check[name] = f"{float(check[name].removesuffix('s')) * SCALE}s"

    async def call(client: httpx2.AsyncClient) -> None:
        while not over.is_set():
            outcomes.append((await client.get("/v1/characters")).status_code)

    async with running(tmp_path, free_port(), two_replicas) as edge, AsyncExitStack() as new, asyncio.timeout(30):
        old = [AsyncExitStack(), AsyncExitStack()]
        drain = ServiceSettings.model_fields["drain_seconds"].default * SCALE
        first = [await stack.enter_async_context(replica(port, drain)) for stack, port in zip(old, ports, strict=True)]
        headers = {"Authorization": f"Bearer {edge.issuer.token()}"}
        client = await new.enter_async_context(http_client(base_url=edge.url, headers=headers))
        async with asyncio.TaskGroup() as load:
            for _ in range(CLIENTS):
                load.create_task(call(client))
            for characters in first:
                await characters.asked.wait()
            for stack, port in zip(old, ports, strict=True):
                await stack.aclose()
                characters = await new.enter_async_context(replica(port, drain_seconds=0))
                await characters.asked.wait()
            over.set()

    assert len(outcomes) > 100
    assert [status for status in outcomes if status != 200] == []
