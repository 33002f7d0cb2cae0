"""A Character service on a database of its own."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import grpc
import pytest

from character_svc.app import application
from character_svc.settings import CharacterSettings

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.character.v1.character_service_pb2_grpc import CharacterServiceAsyncStub
from eco2.character.v1.character_service_pb2_grpc import CharacterServiceStub


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The test's own look into the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def character(database_url: str) -> AsyncIterator["CharacterServiceAsyncStub"]:
    """A client of a running service."""
    settings = CharacterSettings(database_url=database_url, drain_seconds=0)
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield CharacterServiceStub(channel)
