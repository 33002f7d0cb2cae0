"""Fixtures: one Envoy and one fake mesh for each module of tests. Suites that need them import them in a conftest."""

from collections.abc import AsyncIterator

import grpc
import httpx2
import pytest
import pytest_asyncio

from tests.support.edge.envoy import Edge, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.http import http_client
from tests.support.ports import free_port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh_and_edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[FakeMesh, Edge]]:
    """Envoy first: it must not be a child of a process in which gRPC already runs."""
    port, fake = free_port(), FakeMesh()
    async with running(tmp_path_factory.mktemp("edge"), port) as edge, fake.serving(port):
        yield fake, edge


@pytest.fixture
def mesh(mesh_and_edge: tuple[FakeMesh, Edge]) -> FakeMesh:
    """The fake mesh, with nothing recorded and nothing told."""
    mesh_and_edge[0].forget()
    return mesh_and_edge[0]


@pytest.fixture
def edge(mesh_and_edge: tuple[FakeMesh, Edge]) -> Edge:
    """The running Envoy."""
    return mesh_and_edge[1]


@pytest_asyncio.fixture(loop_scope="module")
async def rest(edge: Edge) -> AsyncIterator[httpx2.AsyncClient]:
    """A REST client of user-1."""
    headers = {"Authorization": f"Bearer {edge.issuer.token()}"}
    async with http_client(base_url=edge.url, headers=headers, timeout=10) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def channel(edge: Edge) -> AsyncIterator[grpc.aio.Channel]:
    """A gRPC channel to the same port; calls bring their own token."""
    async with grpc.aio.insecure_channel(edge.target) as channel:
        yield channel


@pytest.fixture
def bearer(edge: Edge) -> tuple[tuple[str, str], ...]:
    """The gRPC metadata of user-1."""
    return (("authorization", f"Bearer {edge.issuer.token()}"),)
