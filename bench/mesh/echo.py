"""What Python's gRPC can do at most: a server that answers CreateScan with a constant, behind an edge of its own.

Run as a program: `python -m bench.mesh.echo PORT`; it serves until it is ended.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import uvloop
from grpc_health.v1 import health_pb2

from bench.mesh.stack import Stack
from bench.mesh.users import phones
from eco2.scan.v1 import scan_pb2, scan_service_pb2
from local.files import write_private
from local.stack.ports import HOST, Ports
from local.stack.services import probe
from local.stack.supervisor import Child, Program

_READY = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING).SerializeToString()
# As long as the real one, so that Envoy has the same JSON to write.
_CREATED = scan_service_pb2.CreateScanResponse(
    scan=scan_pb2.Scan(scan_id="01a1fd78-5843-76f0-b34d-7ccfa4c46634", version=1, image_url="https://" + "x" * 80),
    upload=scan_service_pb2.UploadTicket(url="https://" + "x" * 400, method="PUT", headers={"Content-Type": "x"}),
    status_url="/v1/scans/01a1fd78-5843-76f0-b34d-7ccfa4c46634",
).SerializeToString()


class _Echo(grpc.GenericRpcHandler):
    """Answers every method with bytes that were made once; nothing is parsed."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        healthy = "Health" in handler_call_details.method

        async def answer(request: bytes, context: Any) -> bytes:
            return _READY if healthy else _CREATED

        return grpc.unary_unary_rpc_method_handler(answer)


async def _serve(port: int) -> None:
    server = grpc.aio.server(handlers=[_Echo()], options=[("grpc.so_reuseport", 0)])
    server.add_insecure_port(f"{HOST}:{port}")
    await server.start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.create_task(server.stop(0)))
    await server.wait_for_termination()


@asynccontextmanager
async def echo_edge(stack: Stack, folder: Path) -> AsyncIterator[str]:
    """A second Envoy, run as the stack's own is, with the echo in the place of Scan.

    Yields:
        Its base address.
    """
    ports = Ports(folder / "ports.json")
    rest, admin, echo = (ports.take(name) for name in ("rest", "admin", "echo"))
    target = f"{HOST}:{echo}"
    configuration = folder / "envoy.yaml"
    text = (stack.folder / "envoy.yaml").read_text(encoding="utf-8")
    for name, port in (("REST_URL", rest), ("ENVOY_ADMIN", admin)):
        # Where it listens. It fetches its keys from the stack's own edge, which the last cluster names.
        text = text.replace(f"port_value: {_port(stack.variables[f'ECO2_{name}'])}}}", f"port_value: {port}}}", 1)
    for address in stack.variables["ECO2_SCAN_TARGET"].split(","):
        text = text.replace(f'"port_value": {_port(address)}}}', f'"port_value": {echo}}}')
    # Nobody here counts calls for all edges: this edge doesn't ask.
    text = text.replace('"exact": "/eco2.scan.v1.ScanService/CreateScan"', '"exact": "/nothing"')
    write_private(configuration, text)
    command = stack.processes["envoy"].cmdline()
    command[command.index("-c") + 1] = str(configuration)
    address = f"http://{HOST}:{rest}"
    programs = (
        Program(name="echo", command=[sys.executable, "-m", "bench.mesh.echo", str(echo)], ready=lambda: probe(target)),
        Program(name="edge", command=command, ready=lambda: _answers(stack, address)),
    )
    children = [Child(one, folder / f"{one.name}.log", lambda _: None, lambda: None) for one in programs]
    try:
        for child in children:
            await child.start()
        yield address
    finally:
        for child in reversed(children):
            await child.stop()


def _port(address: str) -> str:
    return address.rpartition(":")[2]


async def _answers(stack: Stack, address: str) -> None:
    async with phones(stack, 1, address) as (phone,):
        await phone.announce()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
