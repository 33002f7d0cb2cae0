"""The edge and a fake mesh, as the edge's own tests have them; guests may be made as often as the table says."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from local.stack.limits import for_one_machine
from ratelimit_svc.limits import load_limits
from tests.support.edge.envoy import Edge, Limiting, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.fixtures import edge, mesh, rest
from tests.support.ports import free_port

__all__ = ["edge", "mesh", "mesh_and_edge", "rest"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh_and_edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[FakeMesh, Edge]]:
    """Envoy first: it must not be a child of a process in which gRPC already runs."""
    port, fake = free_port(), FakeMesh()
    guest = load_limits()["guest"].address
    assert guest
    limiting = Limiting(changes=for_one_machine({"guest": {"address": guest}}))
    async with running(tmp_path_factory.mktemp("edge"), port, limiting=limiting) as edge, fake.serving(port):
        yield fake, edge
