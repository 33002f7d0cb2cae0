"""The four services of the mesh, as children of this interpreter."""

import sys
from collections.abc import Mapping
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from local.stack.supervisor import Program
from mesh.settings import ServiceSettings

SERVICES = ("vision", "rules", "character", "scan")

# Short, since no new calls arrive: the stack stops the edge first. Direct watchers still get RECONNECT.
_DRAIN_SECONDS = "0.2"


def program(name: str, target: str, environment: Mapping[str, str]) -> Program:
    """One service.

    Args:
        name: Such as "scan"; its package is `scan_svc`.
        target: `host:port` to serve on.
        environment: Addresses of its stores and peers.
    """

    async def ready() -> None:
        await probe(target)

    return Program(
        name=name,
        command=[sys.executable, "-m", f"{name}_svc"],
        environment={**environment, "ECO2_LISTEN": target, "ECO2_DRAIN_SECONDS": _DRAIN_SECONDS},
        ready=ready,
        grace=ServiceSettings.model_construct().ending_seconds,  # by default
    )


async def probe(target: str) -> None:
    """Raises unless the server says SERVING.

    Raises:
        ConnectionError: It reports another state.
        grpc.RpcError: It doesn't answer.
    """
    async with grpc.aio.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # its type stubs leave Check out
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=2.0)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise ConnectionError(f"{target} is not serving")
