"""Several applications on one server: what they share, and in which order they end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider

from eco2.character.v1 import character_service_pb2, character_service_pb2_grpc
from eco2.rules.v1 import rules_service_pb2, rules_service_pb2_grpc
from mesh.grpc.client import IN_PROCESS, Peer, open_channel
from mesh.grpc.host import Host, hosting
from mesh.grpc.server import Service, serving
from mesh.observability import telemetry
from mesh.observability.telemetry import Telemetry
from mesh.settings import ServiceSettings

RULES, CHARACTER = "eco2.rules.v1.RulesService", "eco2.character.v1.CharacterService"
SETTINGS = ServiceSettings(drain_seconds=0, grace_seconds=2)
_log = structlog.get_logger("test")
NO_TELEMETRY = Telemetry(TracerProvider().get_tracer("test"))


class Rules(rules_service_pb2_grpc.RulesServiceServicer):
    """Has a taxonomy."""

    async def GetTaxonomy(self, request: Any, context: Any) -> rules_service_pb2.GetTaxonomyResponse:
        _log.info("asked")
        return rules_service_pb2.GetTaxonomyResponse(rulebook_version="1")


class Characters(character_service_pb2_grpc.CharacterServiceServicer):
    """Knows nobody."""

    async def ListCharacters(self, request: Any, context: Any) -> character_service_pb2.ListCharactersResponse:
        _log.info("asked")
        return character_service_pb2.ListCharactersResponse()


RULES_SERVICE = Service(RULES, rules_service_pb2_grpc.add_RulesServiceServicer_to_server, Rules())
CHARACTER_SERVICE = Service(CHARACTER, character_service_pb2_grpc.add_CharacterServiceServicer_to_server, Characters())


async def taxonomy(channel: grpc.aio.Channel) -> Any:
    """The taxonomy, as a peer gets it."""
    stub = rules_service_pb2_grpc.RulesServiceStub(channel)
    return await Peer("rules").call(stub.GetTaxonomy, rules_service_pb2.GetTaxonomyRequest(), timeout=5)


async def test_services_drain_together_and_end_in_the_reverse_order() -> None:
    """A worker finishes its stages while those it calls are still there, though nobody outside is served any more."""
    events = []

    @asynccontextmanager
    async def rules(host: Host) -> AsyncIterator[None]:
        drains = [lambda: events.append("rules drain")]
        async with serving(SETTINGS, [RULES_SERVICE], telemetry=NO_TELEMETRY, drains=drains, host=host):
            yield
        events.append("rules ended")

    @asynccontextmanager
    async def character(host: Host) -> AsyncIterator[None]:
        drains = [lambda: events.append("character drains")]
        async with open_channel("vision", IN_PROCESS, RULES, host=host) as channel:
            async with serving(SETTINGS, [CHARACTER_SERVICE], telemetry=NO_TELEMETRY, drains=drains, host=host):
                yield
            events.append(f"asked rules {(await taxonomy(channel)).rulebook_version}")
        events.append("character ended")

    async with hosting(SETTINGS) as host, rules(host), character(host):
        await host.start()
    assert events == ["rules drain", "character drains", "asked rules 1", "character ended", "rules ended"]


async def test_each_service_has_its_health_and_the_process_that_of_all() -> None:
    """Rules needs no database, and is served while Character can't be."""
    asked = asyncio.Event()

    async def away() -> None:
        asked.set()
        raise ConnectionError

    async with (
        asyncio.timeout(10),
        hosting(SETTINGS) as host,
        serving(SETTINGS, [RULES_SERVICE], telemetry=NO_TELEMETRY, host=host),
        serving(SETTINGS, [CHARACTER_SERVICE], telemetry=NO_TELEMETRY, dependencies={"postgres": away}, host=host),
    ):
        await host.start()
        await asked.wait()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{host.port}") as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            found = {
                name: (await health.Check(health_pb2.HealthCheckRequest(service=name))).status
                for name in (RULES, CHARACTER, "", "liveness")
            }
    up, down = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    assert found == {RULES: up, CHARACTER: down, "": down, "liveness": up}


async def test_log_lines_tell_whose_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Operators look for a service, wherever it runs; in handlers as well as in what it does by itself."""

    @asynccontextmanager
    async def application(name: str, service: Service, host: Host) -> AsyncIterator[None]:
        with telemetry.started(name, SETTINGS) as instruments:
            _log.info("begun", by=name)
            async with serving(SETTINGS, [service], telemetry=instruments, host=host):
                yield

    async with (
        hosting(SETTINGS) as host,
        application("rules", RULES_SERVICE, host),
        application("character", CHARACTER_SERVICE, host),
    ):
        await host.start()
        for target in (IN_PROCESS, f"127.0.0.1:{host.port}"):
            async with open_channel("vision", target, RULES, host=host) as channel:
                await taxonomy(channel)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["service"] for line in lines if line["event"] == "begun"] == ["rules", "character"]
    assert [line["service"] for line in lines if line["event"] == "asked"] == ["rules", "rules"]
