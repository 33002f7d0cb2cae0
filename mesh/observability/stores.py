"""Metrics of what services lean on: connections, breakers, caches."""

from collections.abc import Callable
from typing import Protocol

from mesh.observability.instruments import Instruments
from mesh.observability.metrics import Kind, Metric

_POOLS = ("scan", "scan-heartbeat", "scan-reads", "rules", "rules-reads", "character", "auth")
_SERVICES = ("scan", "vision", "rules", "auth", "ratelimit")

CONNECTIONS = Metric(
    "db.client.connection.count",
    Kind.UP_DOWN_COUNTER,
    "{connection}",
    "Connections to PostgreSQL by what they do.",
    {"db.client.connection.pool.name": _POOLS, "db.client.connection.state": ("idle", "used")},
)
MOST_CONNECTIONS = Metric(
    "db.client.connection.max",
    Kind.UP_DOWN_COUNTER,
    "{connection}",
    "How many there may be.",
    {"db.client.connection.pool.name": _POOLS},
)
PENDING = Metric(
    "db.client.connection.pending_requests",
    Kind.UP_DOWN_COUNTER,
    "{request}",
    "Who waits for a connection now.",
    {"db.client.connection.pool.name": _POOLS},
)
WAIT_TIME = Metric(
    "db.client.connection.wait_time",
    Kind.HISTOGRAM,
    "s",
    "How long it took to get a connection, of those who found none free.",
    {"db.client.connection.pool.name": _POOLS},
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10),
)
BREAKER_OPEN = Metric(
    "eco2.circuit_breaker.open",
    Kind.GAUGE,
    "1",
    "1 while calls are refused, since what is called was found to be down.",
    {"eco2.service": _SERVICES, "eco2.circuit_breaker": "`redis`, `kakao`, or a model's name as configured"},
)
LOOKUPS = Metric(
    "eco2.cache.lookups",
    Kind.COUNTER,
    "{lookup}",
    "What caches knew: of a photo's classification, of a file that was uploaded before, of a scan's newest state.",
    {"eco2.cache": ("classification", "file", "snapshot"), "eco2.outcome": ("hit", "miss")},
)
METRICS = (CONNECTIONS, MOST_CONNECTIONS, PENDING, WAIT_TIME, BREAKER_OPEN, LOOKUPS)


class Pool(Protocol):
    """Connections; `mesh.postgres.Pool`."""

    waiting: int
    waited: Callable[[float], object]

    def get_size(self) -> int:
        """Open ones."""

    def get_idle_size(self) -> int:
        """Those that nobody uses."""

    def get_max_size(self) -> int:
        """How many there may be."""


def tell_pool(instruments: Instruments, name: str, pool: Pool) -> None:
    """Tells what becomes of a pool's connections from now on."""
    labels = {"db.client.connection.pool.name": name}
    idle, used = ({**labels, "db.client.connection.state": state} for state in ("idle", "used"))

    def count() -> list[tuple[float, dict[str, str]]]:
        free = pool.get_idle_size()
        return [(free, idle), (pool.get_size() - free, used)]

    waits = instruments.histogram(WAIT_TIME)
    pool.waited = lambda seconds: waits.record(seconds, labels)
    instruments.observe(CONNECTIONS, count)
    instruments.observe(MOST_CONNECTIONS, lambda: [(pool.get_max_size(), labels)])
    instruments.observe(PENDING, lambda: [(pool.waiting, labels)])


def tell_breaker(instruments: Instruments, service: str, name: str, is_open: Callable[[], bool]) -> None:
    """Tells whether a breaker is open from now on."""
    labels = {"eco2.service": service, "eco2.circuit_breaker": name}
    instruments.observe(BREAKER_OPEN, lambda: [(is_open(), labels)])


class Lookups:
    """How often a cache knew something: counted without a call, since it is asked for every poll.

    Args:
        instruments: Tell it.
        cache: Which cache.

    Attributes:
        hits: How often it did.
        misses: How often it didn't.
    """

    __slots__ = ("hits", "misses")

    def __init__(self, instruments: Instruments, cache: str) -> None:
        self.hits = self.misses = 0
        hit, miss = ({"eco2.cache": cache, "eco2.outcome": outcome} for outcome in ("hit", "miss"))
        instruments.observe(LOOKUPS, lambda: [(self.hits, hit), (self.misses, miss)])

    def found(self, found: bool) -> None:
        """Whether it knew something."""
        if found:
            self.hits += 1
        else:
            self.misses += 1
