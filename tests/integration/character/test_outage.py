"""The Character service while PostgreSQL is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from character_svc.app import NAME, application
from character_svc.settings import CharacterSettings
from eco2.character.v1 import character_service_pb2 as pb
from eco2.character.v1.character_service_pb2_grpc import CharacterServiceStub
from eco2.vision.v1.classification_pb2 import Category
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from tests.support.line import Line, line_to

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def line_to_postgres(database_url: str) -> AsyncIterator[tuple[Line, str]]:
    """A line, cut, and the database's address through it."""
    parts = urlsplit(database_url)
    async with line_to(parts.hostname or "", parts.port or 5432, up=False) as (line, port):
        credentials, _, _ = parts.netloc.rpartition("@")
        yield line, parts._replace(netloc=f"{credentials}@127.0.0.1:{port}").geturl()


async def test_the_service_starts_without_postgres_tells_the_truth_and_recovers(database_url: str) -> None:
    """Start order mustn't matter, and nobody may be sent to a replica that can't answer."""
    async with line_to_postgres(database_url) as (line, through_line):
        settings = CharacterSettings(database_url=through_line, drain_seconds=0)
        async with (
            asyncio.timeout(30),
            application(settings) as server,
            grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
        ):
            stub: Any = health_pb2_grpc.HealthStub(channel)  # its type stubs leave Watch out
            health = stub.Watch(health_pb2.HealthCheckRequest(service=NAME))
            for up in (False, True, False):
                line.up = up
                if not up:
                    line.cut()
                expected = SERVING if up else NOT_SERVING
                async for update in health:
                    if update.status == expected:
                        break
            health.cancel()


async def test_without_postgres_a_reward_is_unavailable_but_the_catalogue_is_not(database_url: str) -> None:
    """The caller learns that it may retry; what lives in memory goes on."""
    async with line_to_postgres(database_url) as (_, through_line):
        settings = CharacterSettings(database_url=through_line, drain_seconds=0)
        async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            character = CharacterServiceStub(channel)
            request = pb.EvaluateRewardRequest(
                user_id="mina", scan_id=str(uuid4()), category=Category(major="재활용폐기물"), rule_count=1
            )
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await character.EvaluateReward(request)
            error = from_rpc_error(refused.value, "character")
            assert (refused.value.code(), error.reason) == (grpc.StatusCode.UNAVAILABLE, Reason.UNAVAILABLE)
            assert error.retry_after is not None
            assert len((await character.ListCharacters(pb.ListCharactersRequest())).characters) == 13
