"""The Rules service while PostgreSQL is away: rules and answers need no database."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from google.type.latlng_pb2 import LatLng
from grpc_health.v1 import health_pb2, health_pb2_grpc

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceStub
from eco2.vision.v1.classification_pb2 import Category
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from rules_svc.app import NAME, application
from rules_svc.settings import RulesSettings

MAPO = pb.FindPlacesRequest(location=LatLng(latitude=37.5560, longitude=126.9235))


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """A port that refuses every connection until somebody listens on it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def through(door: socket.socket, database_url: str) -> RulesSettings:
    """Settings of a service that reaches its database through the door."""
    parts = urlsplit(database_url)
    address = f"{parts.username}:{parts.password}@127.0.0.1:{door.getsockname()[1]}"
    return RulesSettings(database_url=parts._replace(netloc=address).geturl(), drain_seconds=0)


async def carry(database_url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carries one connection to the real database until either side ends it."""
    parts = urlsplit(database_url)
    there_reader, there_writer = await asyncio.open_connection(parts.hostname, parts.port)
    copying = [asyncio.create_task(copy(reader, there_writer)), asyncio.create_task(copy(there_reader, writer))]
    await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
    for end in (writer, there_writer):
        end.close()
    await asyncio.gather(*copying, return_exceptions=True)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)


async def test_without_a_database_only_places_are_missing(door: socket.socket, database_url: str) -> None:
    """It starts, stays SERVING and tells rules; FindPlaces says that it is unavailable, and when to come back."""
    async with (
        application(through(door, database_url)) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        rules = RulesServiceStub(channel)
        health: Any = health_pb2_grpc.HealthStub(channel)
        assert (await rules.MatchRules(pb.MatchRulesRequest(category=Category(major="미분류")))).rules
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await rules.FindPlaces(MAPO)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        error = from_rpc_error(refused.value, "rules")
        assert error.reason is Reason.UNAVAILABLE
        assert error.retry_after is not None
        status = await health.Check(health_pb2.HealthCheckRequest(service=NAME))
        assert status.status == health_pb2.HealthCheckResponse.SERVING


async def test_places_come_with_the_database(door: socket.socket, database_url: str) -> None:
    """Nobody restarts the service when PostgreSQL arrives late."""
    async with (
        application(through(door, database_url)) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
        await asyncio.start_server(lambda reader, writer: carry(database_url, reader, writer), sock=door),
        asyncio.timeout(20),
    ):
        rules = RulesServiceStub(channel)
        while not (await rules.FindPlaces(MAPO)).places:
            pass  # each turn is a search; the samples come with the next try to store them
