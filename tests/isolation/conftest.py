"""The edge and a fake mesh, as the edge's own tests have them."""

from tests.support.edge.fixtures import edge, mesh, mesh_and_edge, rest

__all__ = ["edge", "mesh", "mesh_and_edge", "rest"]
