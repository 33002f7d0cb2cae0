"""An Auth service on a database of its own."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import grpc
import pytest
import pytest_asyncio
import yaml
from cryptography.fernet import Fernet

from auth_svc.app import application
from auth_svc.settings import AuthSettings
from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, REDIRECT, OidcProvider, running_provider

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

NOBODY = "127.0.0.1:1"  # for services that aren't needed
SECRET = Fernet.generate_key().decode()

Serve = Callable[..., AbstractAsyncContextManager["AuthServiceAsyncStub"]]
Offer = Callable[..., AbstractAsyncContextManager["AuthServiceAsyncStub"]]


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The test's own look into the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def serve(database_url: str, redis_url: str) -> Serve:
    """Starts a replica, with other settings where a test wants them; gives its client."""

    @asynccontextmanager
    async def serve(**changes: Any) -> AsyncIterator["AuthServiceAsyncStub"]:
        usual = {
            "database_url": database_url,
            "redis_url": redis_url,
            "auth_secrets": SECRET,
            **dict.fromkeys(("scan_target", "character_target", "rules_target"), NOBODY),
            "drain_seconds": 0,
        }
        settings = AuthSettings(**(usual | changes))
        async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield AuthServiceStub(channel)

    return serve


@pytest.fixture
async def auth(serve: Serve) -> AsyncIterator["AuthServiceAsyncStub"]:
    """A client of a running service."""
    async with serve() as stub:
        yield stub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[OidcProvider]:
    """One provider for the tests that leave it running."""
    async with running_provider() as running:
        yield running


@pytest.fixture
def offer(serve: Serve, tmp_path: Path) -> Offer:
    """Starts Auth with these providers on offer."""

    @asynccontextmanager
    async def offer(providers: dict[str, Any], **changes: Any) -> AsyncIterator["AuthServiceAsyncStub"]:
        file = tmp_path / "providers.yaml"
        file.write_text(yaml.safe_dump(providers), encoding="utf-8")
        clients = {name: {"id": CLIENT_ID, "secret": CLIENT_SECRET} for name in providers}
        settings = {"auth_providers": str(file), "auth_clients": json.dumps(clients), "auth_redirects": REDIRECT}
        async with serve(**settings | changes) as auth:
            yield auth

    return offer
