"""Ports that are free, and the same again."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.ports import HOST, Ports, is_free

CHOOSE = """
import sys
from pathlib import Path
from local.stack.ports import Ports
print(Ports(Path(sys.argv[1])).take("s3"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def occupied() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_listener_occupies_its_port(occupied: int) -> None:
    """This is what the clear message for a taken REST port stands on."""
    assert not is_free(occupied)


def test_no_port_is_given_twice(tmp_path: Path) -> None:
    """Nothing listens yet while they are chosen, so being free is not enough."""
    ports = Ports(tmp_path / "ports.json")
    taken = [ports.take(f"server-{number}") for number in range(50)]
    assert len(set(taken)) == len(taken)


def test_ports_are_remembered(tmp_path: Path) -> None:
    """Addresses of photos stand in the history: they must work after a restart."""
    first = Ports(tmp_path / "ports.json")
    port = first.take("s3")
    first.save()
    assert Ports(tmp_path / "ports.json").take("s3") == port


def test_a_remembered_port_that_is_occupied_is_given_up(tmp_path: Path, occupied: int) -> None:
    """The stack must start all the same."""
    (tmp_path / "ports.json").write_text(json.dumps({"s3": occupied}), encoding="utf-8")
    assert Ports(tmp_path / "ports.json").take("s3") != occupied


def test_a_twin_must_be_free_too(tmp_path: Path, occupied: int) -> None:
    """SeaweedFS' worker computes one port from the other."""
    (tmp_path / "ports.json").write_text(json.dumps({"admin": occupied - 1}), encoding="utf-8")
    port = Ports(tmp_path / "ports.json").take("admin", twin=1)
    assert port != occupied - 1
    assert is_free(port + 1)


def test_two_stacks_that_start_at_once_have_ports_of_their_own(tmp_path: Path) -> None:
    """Seconds pass between choosing a port and listening on it. Whoever has ended has chosen none any more."""
    file = tmp_path / "ports.json"
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        wanted = probe.getsockname()[1]
    file.write_text(json.dumps({"s3": wanted}), encoding="utf-8")
    command = [sys.executable, "-c", CHOOSE, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert int(other.stdout.readline()) == wanted
        assert Ports(file).take("s3") != wanted
        other.communicate()

    assert Ports(file).take("s3") == wanted
