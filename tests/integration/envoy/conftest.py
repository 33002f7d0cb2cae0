"""The edge before a fake mesh."""

from tests.support.edge.fixtures import bearer, channel, edge, mesh, mesh_and_edge, rest

__all__ = ["bearer", "channel", "edge", "mesh", "mesh_and_edge", "rest"]
