"""The edge before a fake mesh."""

from pathlib import Path

import pytest

from tests.support.edge.fixtures import bearer, channel, edge, mesh, mesh_and_edge, rest

__all__ = ["bearer", "channel", "edge", "mesh", "mesh_and_edge", "rest"]

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the tests of a file on one worker: apart, each worker would start an Envoy for each file."""
    for item in items:
        if item.path.parent == _HERE:
            item.add_marker(pytest.mark.xdist_group(f"envoy {item.path.stem}"))
