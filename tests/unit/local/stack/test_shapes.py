"""In which shapes the stores of a stack may run."""

from pathlib import Path

import pytest

from local.errors import Misuse
from local.stack.ports import Ports
from local.stack.secrets import Secrets
from local.stack.stores import shapes


def plan(folder: Path, *names: str) -> shapes.Plan:
    """The plan of a stack in a folder."""
    return shapes.plan(folder, Ports(folder / "ports.json"), Secrets.load_or_create(folder / "secrets"), names)


def test_without_a_name_there_is_one_of_each(tmp_path: Path) -> None:
    """As `make up` starts it."""
    made = plan(tmp_path)
    assert set(made.programs) == {"postgres", "valkey", "seaweedfs"}
    assert not {"ECO2_DATABASE_LISTEN_URL", "ECO2_DATABASE_READ_URL"} & made.variables.keys()


def test_a_replica_is_read_at_an_address_of_its_own(tmp_path: Path) -> None:
    """It writes nowhere: the primary's address stays."""
    made = plan(tmp_path, "replica")
    assert set(made.programs) == {"postgres", "replica", "valkey", "seaweedfs"}
    assert made.variables["ECO2_DATABASE_READ_URL"] != made.variables["ECO2_DATABASE_URL"]


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    """Before anything starts."""
    with pytest.raises(Misuse, match=r"no such stores: citus\. There are cluster, sentinel, pgbouncer, replica"):
        shapes.check(["pgbouncer", "citus"])


def test_two_shapes_of_one_store_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them would run for nothing."""
    monkeypatch.setattr(shapes, "SHAPES", {name: shapes.Shape(lambda _: None, of="valkey") for name in ("one", "two")})
    with pytest.raises(Misuse, match="two and one exclude each other"):
        shapes.check(["two", "one"])
