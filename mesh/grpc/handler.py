"""The methods of one service, as gRPC's server and callers in the same process find them."""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from mesh.grpc.boundary import Boundary
from mesh.grpc.calls import Method


class GrpcHandler(grpc.GenericRpcHandler):
    """All methods of a service, each wrapped as it is added.

    The generated `add_…_to_server` takes it for the server. Not as interceptors, which run anew for every call, and not
    registered with the server one by one: it would wait for the next call of each, so that a call costs the more the
    more methods there are.

    Args:
        boundary: What all calls share.
    """

    def __init__(self, boundary: Boundary) -> None:
        self.boundary = boundary
        self._methods: dict[str, Method] = {}

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Called by generated code: the methods of one service."""
        for name, handler in handlers.items():
            path = f"/{service}/{name}"
            self._methods[path] = Method(self.boundary, path, handler)

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Called by generated code too: the same methods once more."""

    def service(self, handler_call_details: Any) -> Any:
        """Called for each call: what handles it; None if there is no such method."""
        method = self._methods.get(handler_call_details.method)
        return method.call(handler_call_details.invocation_metadata) if method else None
