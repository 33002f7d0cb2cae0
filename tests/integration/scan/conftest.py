"""Scan as a whole on real stores, with peers that do what a test says."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import grpc
import pytest

from eco2.character.v1 import character_service_pb2_grpc
from eco2.rules.v1 import building_service_pb2_grpc, rules_service_pb2_grpc
from eco2.vision.v1 import vision_service_pb2_grpc
from mesh.grpc.server import Service, serving
from mesh.migrations import direct_address
from mesh.observability import telemetry
from mesh.settings import ServiceSettings
from scan_svc.app import application
from scan_svc.client_jobs.work import JobTypes
from scan_svc.job_types import JobTypeParts, registered
from scan_svc.settings import ScanSettings
from tests.integration.scan.client import Client, StartScanService
from tests.support.scan.peer_servicers import Peers
from tests.support.scan.scan_parts import ScanParts, opened
from tests.support.scan.worker_processes import Processes
from tests.support.storage import Storage


@pytest.fixture
def peers() -> Peers:
    """What the peers are told to do."""
    return Peers()


@pytest.fixture
async def peer_target(peers: Peers) -> AsyncIterator[str]:
    """Where the three peers are served."""
    settings = ServiceSettings(drain_seconds=0, grace_seconds=0)
    services = [
        Service("eco2.vision.v1.VisionService", vision_service_pb2_grpc.add_VisionServiceServicer_to_server, peers),
        Service("eco2.rules.v1.RulesService", rules_service_pb2_grpc.add_RulesServiceServicer_to_server, peers),
        Service(
            "eco2.rules.v1.BuildingService", building_service_pb2_grpc.add_BuildingServiceServicer_to_server, peers
        ),
        Service(
            "eco2.character.v1.CharacterService",
            character_service_pb2_grpc.add_CharacterServiceServicer_to_server,
            peers,
        ),
    ]
    with telemetry.started("peers", settings) as shared:
        async with serving(settings, services, telemetry=shared) as server:
            yield f"127.0.0.1:{server.port}"


@pytest.fixture
async def empty_database(stack: Mapping[str, str]) -> AsyncIterator[str]:
    """A database without tables, to be restored into or migrated."""
    name = f"empty_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(direct_address(stack))
    try:
        await admin.execute(f"create database {name}")
        yield urlunsplit(urlsplit(direct_address(stack))._replace(path=f"/{name}"))
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


@pytest.fixture
async def parts(database_url: str, redis_url: str) -> AsyncIterator[ScanParts]:
    """The parts of the service in this process, on a fresh database."""
    async with opened(database_url, redis_url) as parts:
        yield parts


@pytest.fixture
def processes(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Processes]:
    """Starts worker processes."""
    processes = Processes(database_url, redis_url, tmp_path)
    yield processes
    processes.close()


@pytest.fixture
def start_scan_service(
    database_settings: Mapping[str, str], redis_url: str, s3: Storage, peer_target: str
) -> StartScanService:
    """Starts a Scan process' worth of service; settings may be overridden."""

    @asynccontextmanager
    async def start(
        user: str | None = None, job_types: Callable[[JobTypeParts], JobTypes] = registered, **overrides: Any
    ) -> AsyncIterator[Client]:
        values: dict[str, Any] = {
            **database_settings,
            "redis_url": redis_url,
            "s3_endpoint": s3.endpoint,
            "s3_bucket": s3.bucket,
            "s3_access_key": s3.access_key,
            "s3_secret_key": s3.secret_key,
            "cdn_base_url": s3.cdn_base_url,
            "vision_target": peer_target,
            "rules_target": peer_target,
            "character_target": peer_target,
            "drain_seconds": 0,
            "grace_seconds": 1,
            "backoff_seconds": 0.02,
            "log_format": "console",
        }
        # The client outlives the service: what it is told last must reach it.
        async with (
            AsyncExitStack() as clients,
            application(ScanSettings(**(values | overrides)), job_types=job_types) as server,
        ):
            target = f"127.0.0.1:{server.port}"
            channel = await clients.enter_async_context(grpc.aio.insecure_channel(target))
            yield Client(target, channel, user or f"user-{uuid.uuid4().hex}")

    return start


@pytest.fixture
async def client(start_scan_service: StartScanService) -> AsyncIterator[Client]:
    """A user of a running Scan service."""
    async with start_scan_service() as client:
        yield client
