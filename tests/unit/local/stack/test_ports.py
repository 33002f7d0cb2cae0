"""Ports that are free, and the same again."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.ports import HOST, Ports, is_free


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
