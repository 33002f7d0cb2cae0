"""Scan as operators meet it: on real stores, and without a worker that would run away with the jobs."""

from collections.abc import AsyncIterator

import pytest

from eco2.scan.v1 import operations_service_pb2_grpc
from mesh.postgres import open_pool
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.job_tables import Jobs


@pytest.fixture
async def jobs(database_url: str) -> AsyncIterator[Jobs]:
    """The job table."""
    async with open_pool(database_url) as pool:
        yield Jobs(pool)


@pytest.fixture
async def idle_client(start_scan_service: StartScanService) -> AsyncIterator[Client]:
    """A user of a Scan service that doesn't work."""
    async with start_scan_service("user", scan_role="api", model_daily_usd=5) as client:
        yield client


@pytest.fixture
def duty(idle_client: Client) -> operations_service_pb2_grpc.OperationsServiceStub:
    """The operations of that service."""
    return idle_client.operations
