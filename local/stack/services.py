"""The services of the mesh, as children of this interpreter: several in each process, or one."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from local.stack.supervisor import Program
from mesh.grpc.access import dns_name
from mesh.grpc.certificates import CertificateFiles, channel_credentials
from mesh.settings import ServiceSettings, TlsFiles

SERVICES = ("vision", "rules", "character", "scan", "auth", "ratelimit")

# Short, since no new calls arrive: the stack stops the edge first. Direct watchers still get RECONNECT.
_DRAIN_SECONDS = "0.2"


def cores() -> int:
    """How many cores there are for the stack."""
    return len(os.sched_getaffinity(0))


def shape(processes: int | None) -> Mapping[str, Sequence[str]]:
    """Which process serves which services.

    Args:
        processes: How many processes, each of which serves all; None: one for each service.

    Returns:
        The services by the name of the process.
    """
    if processes is None:
        return {name: (name,) for name in SERVICES}
    return {f"eco2-{number}": SERVICES for number in range(1, processes + 1)}


def target(addresses: Sequence[str]) -> str:
    """The gRPC target of a service that is served at some addresses, each `host:port`."""
    return addresses[0] if len(addresses) == 1 else f"ipv4:{','.join(addresses)}"


def program(
    name: str,
    served: Sequence[str],
    address: str,
    metrics: str,
    processes: int,
    environment: Mapping[str, str],
    tls: tuple[TlsFiles, TlsFiles] | None = None,
) -> Program:
    """One process.

    Args:
        name: Its name.
        served: The services it serves, such as "scan", whose package is `scan_svc`.
        address: `host:port` to serve on.
        metrics: `host:port` of its Prometheus endpoint.
        processes: How many processes share the cores for photos.
        environment: Addresses of its stores and peers.
        tls: Its certificate, and the one that its health is asked with; None: by plain text.
    """
    own, asking = tls or (TlsFiles("", "", ""), None)

    async def ready() -> None:
        await probe(address, served[0], asking)

    return Program(
        name=name,
        command=[sys.executable, "-m", f"{served[0]}_svc" if len(served) == 1 else "all_in_one"],
        environment={
            **environment,
            **own.variables,
            "ECO2_TARGETS": ",".join(served),
            "ECO2_VISION_THREADS": os.environ.get("ECO2_VISION_THREADS") or str(max(1, cores() // processes)),
            "ECO2_LISTEN": address,
            "ECO2_METRICS_ADDRESS": metrics,
            "ECO2_DRAIN_SECONDS": _DRAIN_SECONDS,
        },
        ready=ready,
        grace=ServiceSettings.model_construct().ending_seconds,  # by default
    )


async def probe(at: str, name: str = "", tls: TlsFiles | None = None) -> None:
    """Raises unless the server says SERVING.

    Args:
        at: Its gRPC target.
        name: A service that it serves, such as "scan"; needed with TLS.
        tls: The certificate that it is asked with; None: by plain text.

    Raises:
        ConnectionError: It reports another state.
        grpc.RpcError: It doesn't answer.
    """
    async with _channel(at, name, tls) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # its type stubs leave Check out
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=2.0)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise ConnectionError(f"{at} is not serving")


def _channel(at: str, name: str, tls: TlsFiles | None) -> grpc.aio.Channel:
    if tls is None:
        return grpc.aio.insecure_channel(at)
    credentials = channel_credentials(CertificateFiles(tls).current())
    return grpc.aio.secure_channel(at, credentials, options=[("grpc.ssl_target_name_override", dns_name(name))])
