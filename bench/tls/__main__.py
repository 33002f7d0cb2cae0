"""`make bench-tls`: CPU of a call and of a whole scan, with mutual TLS and without, in alternation.

Of a call, both sides in this process, the least of the rounds. Of a scan, all services and the edge; the offline model
looks at a photo drawn by code; the median of the rounds. Only the ratio says something: both sides of it have met the
same machine.
"""

import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import grpc
import uvloop
from opentelemetry.sdk.trace import TracerProvider

from bench.machine import cpu_seconds
from bench.mesh.stack import STORES, programs
from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1 import rules_service_pb2_grpc
from eco2.vision.v1 import classification_pb2
from local.cli.api.rest import Question, ScanClient
from local.sample_photo import draw
from local.stack.background import running
from local.stack.certificates import Authority
from mesh.grpc.client import open_channel
from mesh.grpc.server import Service, serving
from mesh.locale import Locale
from mesh.observability.telemetry import Telemetry
from mesh.settings import ServiceSettings, TlsFiles

RULES = "eco2.rules.v1.RulesService"
PAPER = classification_pb2.Category(major="paper")
_CALLS, _CALL_ROUNDS = 400, 15
_SCANS, _SCAN_ROUNDS = 20, 9
_MESSAGES = 5

Ways = Mapping[str, float]


class _Rules(rules_service_pb2_grpc.RulesServiceServicer):
    async def MatchRules(self, request: Any, context: Any) -> pb.MatchRulesResponse:  # noqa: N802
        return pb.MatchRulesResponse(display_name="paper")

    async def AdviseDisposal(  # noqa: N802
        self, request: Any, context: Any
    ) -> AsyncIterator[pb.AdviseDisposalResponse]:
        for _ in range(_MESSAGES):
            yield pb.AdviseDisposalResponse(text_delta="a piece of an answer")


async def calls() -> Mapping[str, Ways]:
    """Microseconds of CPU of a unary call and of a stream of five messages, by the way they take."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        async with _rules(None) as plain, _rules((authority.certify("rules"), authority.certify("scan"))) as secure:
            ways = {"plain": plain, "mutual TLS": secure}
            asked = pb.MatchRulesRequest(category=PAPER)
            advised = pb.AdviseDisposalRequest(classification=classification_pb2.Classification(category=PAPER))

            async def unary(stub: Any) -> None:
                await stub.MatchRules(asked, timeout=10)

            async def stream(stub: Any) -> None:
                async for _ in stub.AdviseDisposal(advised, timeout=10):
                    pass

            return {"unary call": await _least(ways, unary), "stream of 5": await _least(ways, stream)}


async def _least(ways: Mapping[str, Any], call: Callable[[Any], Awaitable[None]]) -> Ways:
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(_CALL_ROUNDS):
        for way, stub in ways.items():
            began = time.process_time()
            for _ in range(_CALLS):
                await call(stub)
            taken[way].append((time.process_time() - began) / _CALLS * 1e6)
    return {way: min(each) for way, each in taken.items()}


@asynccontextmanager
async def _rules(tls: tuple[TlsFiles, TlsFiles] | None) -> AsyncIterator[Any]:
    own, calling = tls or (None, None)
    files: Mapping[str, Any] = {"tls_cert": own.cert, "tls_key": own.key, "tls_ca": own.ca} if own else {}
    settings = ServiceSettings(drain_seconds=0, grace_seconds=1, **files)
    telemetry = Telemetry(TracerProvider().get_tracer("bench"))
    rules: Any = _Rules
    service = Service(RULES, rules_service_pb2_grpc.add_RulesServiceServicer_to_server, rules())
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(settings, [service], telemetry=telemetry))
        channel: grpc.aio.Channel = await stack.enter_async_context(
            open_channel("scan", f"127.0.0.1:{server.port}", RULES, tls=calling)
        )
        yield rules_service_pb2_grpc.RulesServiceStub(channel)


def scans(processes: int | None) -> Ways:
    """Milliseconds of CPU of a whole scan in one shape of the mesh, by the way its calls take."""
    taken: dict[str, list[float]] = {}
    with ExitStack() as stack:
        used = {
            "plain": stack.enter_context(_mesh(processes, tls=False)),
            "mutual TLS": stack.enter_context(_mesh(processes, tls=True)),
        }
        for number in range(_SCAN_ROUNDS + 1):
            for way, scan in used.items():
                milliseconds = scan()
                if number:  # the first round finds cold caches
                    taken.setdefault(way, []).append(milliseconds)
    return {way: median(each) for way, each in taken.items()}


@contextmanager
def _mesh(processes: int | None, *, tls: bool) -> Iterator[Callable[[], float]]:
    photo = draw()
    with (
        tempfile.TemporaryDirectory(prefix="eco2-bench-", ignore_cleanup_errors=True) as folder,
        running(Path(folder), processes=processes, tls=tls) as variables,
        ScanClient(variables["ECO2_REST_URL"], variables["ECO2_TOKEN"], Locale.KO) as client,
    ):
        ours = [process for name, process in programs(Path(folder)).items() if name not in STORES]

        def scan() -> float:
            began = sum(map(cpu_seconds, ours))
            for _ in range(_SCANS):
                made = client.scan(photo, "image/jpeg", Question())
                for _ in client.follow(made.scan_id):
                    pass
            return (sum(map(cpu_seconds, ours)) - began) / _SCANS * 1000

        yield scan


def main() -> None:
    """Measures, and prints a table and the figures as JSON."""
    # Stacks first: a process in which gRPC has run must not fork.
    found: dict[str, Ways] = {
        "scan, a process for each service, ms": scans(None),
        "scan, one process, ms": scans(1),
    }
    found |= {f"{name}, us": ways for name, ways in uvloop.run(calls()).items()}
    print("| CPU of a | plain | mutual TLS | ratio |\n|---|---|---|---|")
    for name, ways in found.items():
        plain, secure = ways["plain"], ways["mutual TLS"]
        print(f"| {name} | {plain:.1f} | {secure:.1f} | {secure / plain:.2f} |")
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
