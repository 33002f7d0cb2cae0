"""The chart's processes, exactly as rendered, from the image: they get ready, scan, and are all replaced under load."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from local.stack import envoy
from local.stack.certificates import Authority
from local.stack.secrets import Secrets
from local.stack.tokens import Tokens
from mesh.concurrency.tasks import end
from tests.chart import installation
from tests.chart.cluster.forwarding import forwarded
from tests.chart.cluster.network import Network
from tests.chart.cluster.pods import Node
from tests.chart.cluster.rollouts import Cluster
from tests.chart.users import User
from tests.support.image import archive
from tests.support.image.container import Container

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root"),
]

_USERS = 4
_WATCHES = 20
_ASKED = ("/v1/scans", "/v1/me/characters", "/v1/taxonomy")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where any user gets."""
    with tempfile.TemporaryDirectory(prefix="eco2-chart-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def network(folder: Path) -> Iterator[Network]:
    """The pods'."""
    opened = Network(folder)
    yield opened
    opened.close()


@pytest.fixture
def tokens(stack: Mapping[str, str]) -> Tokens:
    """An identity provider whose key the chart is given."""
    return Tokens(Secrets.load_or_create(Path(stack["VAR"]) / "secrets").signing_key)


@pytest.fixture
async def cluster(
    stack: Mapping[str, str], database_url: str, folder: Path, network: Network, tokens: Tokens
) -> AsyncIterator[Cluster]:
    """The whole release, ready."""
    addresses = installation.stores(stack, database_url, network.gateway)
    file = folder / "values.yaml"
    file.write_text(installation.values(stack, addresses, tokens), "utf-8")
    secrets = Secrets.load(Path(stack["VAR"]) / "secrets")
    release = installation.release(file, addresses, secrets, Authority(folder / "tls"))
    image = archive.of_this_commit(folder)
    node = Node(Container(image), release, network, folder, {"envoy": envoy.binary()})
    async with forwarded(network.gateway, *installation.ports(addresses)):
        running = Cluster(release, node, network)
        try:
            await running.deploy()
            yield running
        finally:
            for pod in running.pods:
                print(pod.workload.name, pod.log.read_text("utf-8")[-2000:])
            await running.stop()


async def test_all_is_replaced_under_load(cluster: Cluster, tokens: Tokens) -> None:
    """No call fails, no watch is lost, and all that ends does so in its time."""
    users = [User(tokens, lambda: cluster.ready("eco2-edge")) for _ in range(_USERS)]
    scans = [(user, *await user.created()) for user in users for _ in range(_WATCHES // _USERS)]
    watches = [asyncio.create_task(user.watched(scan_id)) for user, scan_id, _ in scans]
    asking = [asyncio.create_task(_ask_for_ever(user)) for user in users]

    await cluster.restart()

    await end(*asking)
    assert [await pod.alive() for pod in cluster.pods] == [True] * len(cluster.pods)
    assert {status for _, status, _ in cluster.endings} == {0}, cluster.endings
    assert [failure for user in users for failure in user.failed] == []
    assert all(user.asked[path] for user in users for path in _ASKED)

    await asyncio.gather(*(user.start(scan_id, ticket) for user, scan_id, ticket in scans))
    ended = await asyncio.gather(*watches)
    assert {state for state, _ in ended} == {"STATE_SUCCEEDED"}
    assert all(times for _, times in ended)  # each was told to watch elsewhere
    assert [pod.workload.name for pod in cluster.pods if pod.memory > pod.workload.memory] == []


async def _ask_for_ever(user: User) -> None:
    """Reads, and whole scans between."""
    while True:
        for path in _ASKED:
            await user.ask("GET", path)
        scan_id, ticket = await user.created()
        await user.start(scan_id, ticket)
        assert (await user.watched(scan_id))[0] == "STATE_SUCCEEDED"
