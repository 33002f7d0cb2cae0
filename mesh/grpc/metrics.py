"""Metrics of the RPCs that are served."""

from collections.abc import Callable, Iterable, Mapping

import grpc

from mesh.observability.instruments import Instruments, Reading
from mesh.observability.metrics import Kind, Metric

_CODES = tuple(code.name for code in grpc.StatusCode)
_METHODS = "the full name of each method served, such as `eco2.scan.v1.ScanService/CreateScan`"
SERVICES = ("scan", "vision", "rules", "character", "auth", "ratelimit")

CALL_DURATION = Metric(
    "rpc.server.call.duration",
    Kind.HISTOGRAM,
    "s",
    "Rate, errors by code and duration of the RPCs served. Streams last as long as somebody reads them.",
    {"rpc.system.name": ("grpc",), "rpc.method": _METHODS, "rpc.response.status_code": _CODES},
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
ACTIVE_CALLS = Metric(
    "eco2.rpc.server.active_calls",
    Kind.UP_DOWN_COUNTER,
    "{call}",
    "Calls at work now, streams included.",
    {"rpc.method": _METHODS},
)
CALL_LIMIT = Metric(
    "eco2.rpc.server.call_limit",
    Kind.GAUGE,
    "{call}",
    "How many unary calls may be at work at once; more are refused with RESOURCE_EXHAUSTED.",
    {"eco2.service": SERVICES},
)
DEPENDENCY_UP = Metric(
    "eco2.dependency.up",
    Kind.GAUGE,
    "1",
    "1 while what a service depends on answers; at 0 the service is NOT_SERVING.",
    {"eco2.service": SERVICES, "eco2.dependency": ("postgres", "s3", "worker", "certificate", "decoder")},
)
METRICS = (CALL_DURATION, ACTIVE_CALLS, CALL_LIMIT, DEPENDENCY_UP)


class RpcMetrics:
    """What is counted of the calls to one service.

    Args:
        instruments: Make it.
        service: Its short name, such as "scan".
        call_limit: How many unary calls may be at work at once.

    Attributes:
        counting: Whether anybody receives it.
    """

    def __init__(self, instruments: Instruments, service: str, call_limit: int) -> None:
        self.counting = instruments.exporting
        self._service = service
        self._instruments = instruments
        self._active: list[tuple[dict[str, str], Callable[[], int]]] = []
        instruments.observe(ACTIVE_CALLS, self._read_active)
        instruments.observe(CALL_LIMIT, lambda: [(call_limit, {"eco2.service": service})])

    def method(self, name: str, active: Callable[[], int]) -> "MethodMetrics":
        """What is counted of one method; `active` says how many calls of it are at work."""
        self._active.append(({"rpc.method": name}, active))
        return MethodMetrics(self._instruments, name)

    def dependencies(self, up: Mapping[str, bool]) -> None:
        """Tells which dependencies answer; the mapping is looked at anew each time."""

        def read() -> Iterable[Reading]:
            return [(up[name], {"eco2.service": self._service, "eco2.dependency": name}) for name in list(up)]

        self._instruments.observe(DEPENDENCY_UP, read)

    def _read_active(self) -> Iterable[Reading]:
        return [(active(), attributes) for attributes, active in self._active]


class MethodMetrics:
    """What is counted of one method.

    Args:
        instruments: Make it.
        name: The method's full name.
    """

    def __init__(self, instruments: Instruments, name: str) -> None:
        self._instruments = instruments
        self._name = name
        self._by_code: dict[str, Callable[[float], None]] = {}

    def ended(self, seconds: float, code: str) -> None:
        """A call has ended with the code that is on the wire."""
        record = self._by_code.get(code)
        if record is None:
            attributes = {"rpc.system.name": "grpc", "rpc.method": self._name, "rpc.response.status_code": code}
            record = self._by_code[code] = self._instruments.series(CALL_DURATION, attributes)
        record(seconds)
