"""The mesh as several processes that each serve everything, as a process for each service, and on other stores."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from eco2.scan.v1 import scan_pb2
from local.cli.api.rest import Question, ScanClient
from local.files import ENV_FILE, read_env
from local.stack.background import running
from mesh.locale import Locale
from tests.integration.local.stacks import kill, left
from tests.support.sample_photos import note
from tests.support.stack_folders import stack_folder

pytestmark = [pytest.mark.stack, pytest.mark.slow]

SUCCEEDED = scan_pb2.Scan.State.STATE_SUCCEEDED
SCANS = 6


class Mesh:
    """A running stack, and a user of it.

    Args:
        folder: Its folder.
        variables: Its addresses.
    """

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self._folder = folder
        self.variables = variables

    def client(self) -> ScanClient:
        """The user's client."""
        return ScanClient(self.variables["ECO2_REST_URL"], self.variables["ECO2_TOKEN"], Locale.KO)

    @property
    def pids(self) -> dict[str, int]:
        """Its processes by name."""
        pairs = (pair.split("=") for pair in read_env(self._folder / ENV_FILE)["ECO2_PIDS"].split(","))
        return {name: int(pid) for name, pid in pairs}

    def kill(self, name: str) -> None:
        """kill -9 of one process; returns once it is gone."""
        victim = psutil.Process(self.pids[name])
        kill(victim.pid)
        assert left([victim]) == []

    def end_of(self, scan_id: str) -> scan_pb2.Scan:
        """Follows a scan to its end, as a phone does: it comes again whenever it is cut off."""
        with self.client() as client:
            return list(client.follow(scan_id))[-1]


@pytest.fixture
def mesh(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    """A stack of its own, in the shape that the test asks for."""
    processes, *stores = request.param
    monkeypatch.setenv("ECO2_LEASE_SECONDS", "2")
    with stack_folder() as folder, running(folder, processes=processes, demo=True, stores=stores) as variables:
        yield Mesh(folder, variables)


def scanned_through_a_kill(mesh: Mesh, victim: str) -> list[scan_pb2.Scan]:
    """The ends of scans that are under way when a process dies; whoever asks once it is gone sees no error."""
    photo = note()
    with mesh.client() as client, ThreadPoolExecutor(SCANS) as followers:
        queued = [client.scan(photo + bytes(number), "image/jpeg", Question()) for number in range(SCANS)]
        ends = [followers.submit(mesh.end_of, one.scan_id) for one in queued]
        mesh.kill(victim)
        for _ in range(20):
            assert len(client.history(10)) == SCANS
        return [end.result(60) for end in ends]


@pytest.mark.parametrize("mesh", [[2]], indirect=True)
def test_of_two_processes_one_may_be_killed(mesh: Mesh) -> None:
    """Nothing is lost, and the other one serves at once."""
    assert {scan.state for scan in scanned_through_a_kill(mesh, "eco2-1")} == {SUCCEEDED}


@pytest.mark.parametrize("mesh", [[None]], indirect=True)
def test_of_services_apart_one_may_be_killed_and_nothing_is_left_of_all(mesh: Mesh) -> None:
    """The shape of the chart: the services call each other by wire. None outlives its supervisor."""
    services = {"scan", "vision", "rules", "character", "auth", "ratelimit"}
    assert mesh.pids.keys() == {"postgres", "valkey", "seaweedfs", "envoy", "demo-provider", *services}
    assert {scan.state for scan in scanned_through_a_kill(mesh, "vision")} == {SUCCEEDED}

    supervisor = int(mesh.variables["ECO2_SUPERVISOR"])
    family = psutil.Process(supervisor).children(recursive=True)
    kill(supervisor)
    assert left(family) == []


@pytest.mark.parametrize("mesh", [[2, "sentinel"], [2, "cluster"]], indirect=True, ids=["sentinel", "cluster"])
def test_a_primary_of_redis_may_be_killed(mesh: Mesh) -> None:
    """As `make up STORES=…` starts it, from the edge to the answer."""
    assert mesh.variables["ECO2_REDIS_URL"].startswith("redis+")
    assert {scan.state for scan in scanned_through_a_kill(mesh, "valkey-1")} == {SUCCEEDED}
