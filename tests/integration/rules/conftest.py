"""A Rules service for the tests that change nothing, and stores for those that do."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import grpc
import pytest
import pytest_asyncio

from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceStub
from mesh import postgres
from rules_svc.app import application
from rules_svc.places.store import PlaceStore
from rules_svc.settings import RulesSettings

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceAsyncStub


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The test's own look into the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PlaceStore]:
    """A store on an empty table."""
    async with postgres.open_pool(database_url) as pool:
        yield PlaceStore(pool)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rules(read_database_url: str) -> AsyncIterator["RulesServiceAsyncStub"]:
    """A client of a running service, one for each file: its tests run in its event loop, and change nothing."""
    settings = RulesSettings(database_url=read_database_url, drain_seconds=0)
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield RulesServiceStub(channel)
