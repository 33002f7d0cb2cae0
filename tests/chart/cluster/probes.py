"""Kubernetes' probes, asked from outside the pod as the kubelet asks them."""

import asyncio
from typing import Any

import grpc
import httpx2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.chart.cluster.manifests import Document, Workload
from tests.support.http import http_client

_LONG = 180.0  # seconds


async def passes(workload: Workload, address: str, kind: str) -> bool:
    """Whether a probe of the container passes now; one that isn't there does.

    Args:
        workload: Whose pod it is.
        address: The pod's.
        kind: Such as "readinessProbe".
    """
    probe: Document = workload.container.get(kind, {})
    seconds = float(probe.get("timeoutSeconds", 1))
    match probe:
        case {"tcpSocket": {"port": named}}:
            return await _tcp(address, workload.port(named), seconds)
        case {"grpc": {"port": port, **more}}:
            return await _grpc(f"{address}:{port}", str(more.get("service", "")), seconds)
        case {"httpGet": {"port": named, "path": path}}:
            return await _http(f"http://{address}:{workload.port(named)}{path}", seconds)
    return True


def patience(workload: Workload, kind: str) -> float:
    """Seconds after which the kubelet gives up: those of a node with cores to spare, so several times of it here.

    It never does where there is no such probe.
    """
    probe = workload.container.get(kind)
    return float(probe["periodSeconds"] * probe.get("failureThreshold", 3)) * 3 if probe else _LONG


async def _tcp(host: str, port: int, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    except OSError:  # of which TimeoutError is one
        return False
    return True


async def _grpc(target: str, service: str, seconds: float) -> bool:
    async with grpc.aio.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=seconds)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def _http(url: str, seconds: float) -> bool:
    async with http_client(timeout=seconds) as http:
        try:
            return (await http.get(url)).is_success
        except httpx2.HTTPError:
            return False
