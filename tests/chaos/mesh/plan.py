"""Which blow falls when: all of it follows from the seed, so a run can be repeated."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

SERVICES = ("scan", "vision", "rules", "character")
STORES = ("postgres", "valkey", "seaweedfs")
# Whose clock can be made wrong; see `tests.chaos.mesh.clock`.
CLOCKED = (*SERVICES, "postgres", "valkey")
PROCESSES = ("envoy", *SERVICES, *STORES, "model")

_CLIENTS = 16
_PAUSE_SECONDS = 4.5
_FEWEST_BLOWS = 6

# A scan has 300 s, a presigned address and a webhook's signature five minutes: what a clock may be wrong by.
_CLOCK_STEP_SECONDS = 45.0
# Longer than all tries of the reward together: its outage must not fail an answer. A short run can't wait for that.
_CHARACTER_SECONDS = (34.0, 40.0)
_LONG_RUN_SECONDS = 100.0


class Kind(StrEnum):
    """What is done to a part of the mesh."""

    KILL = "kill -9"
    FREEZE = "frozen"
    RESTART = "restarted"
    DISK_FULL = "disk full"
    DISK_STALLED = "disk stalled"
    FLUSH = "emptied"
    MEMORY_FULL = "refuses writes"
    CLOCK = "clock stepped"
    RUBBISH = "answers rubbish"


@dataclass(frozen=True, slots=True)
class Blow:
    """One blow.

    Attributes:
        kind: What is done.
        target: To which process.
        at: Seconds after the start.
        seconds: How long it lasts; 0 for a moment.
        step: By how many seconds its clock is wrong meanwhile.
    """

    kind: Kind
    target: str
    at: float
    seconds: float = 0.0
    step: float = 0.0

    def __str__(self) -> str:
        """As a line of the plan."""
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:6.1f} s  {self.target} {self.kind}{lasting}{f' by {self.step:+.0f} s' if self.step else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run.

    Attributes:
        seed: What everything follows from.
        seconds: How long blows fall.
        clients: How many users scan at the same time.
        blows: In order.
    """

    seed: int
    seconds: float
    clients: int
    blows: Sequence[Blow]


def plan(seed: int, seconds: float, only: str = "") -> Plan:
    """Deals blows of all kinds to all processes, each pair once before any comes again.

    Args:
        seed: Decides order, moments and durations.
        seconds: How long blows fall.
        only: Of all blows those whose target and kind contain this, such as "disk full" or "postgres".

    Raises:
        ValueError: There is none.
    """
    chance = random.Random(seed)
    blows: list[Blow] = []
    deck: list[tuple[Kind, str]] = []
    pause = min(_PAUSE_SECONDS, seconds / _FEWEST_BLOWS)
    at = pause / 2
    while at < seconds:
        if not deck:
            deck = [(kind, target) for kind, target in _deck(chance) if only in f"{target} {kind}"]
            if not deck:
                raise ValueError(f"no blow is called {only!r}")
        kind, target = deck.pop()
        blow = _blow(kind, target, at, chance)
        if (kind, target) == (Kind.FREEZE, "character") and seconds > _LONG_RUN_SECONDS:
            blow = replace(blow, seconds=chance.uniform(*_CHARACTER_SECONDS))
        blows.append(blow)
        at += pause * chance.uniform(0.6, 1.4)
    return Plan(seed=seed, seconds=seconds, clients=_CLIENTS, blows=blows)


def _deck(chance: random.Random) -> list[tuple[Kind, str]]:
    """All blows, one class after the other, so that a short run, too, meets each class, and soon each process."""
    order = chance.sample(PROCESSES, k=len(PROCESSES))
    thirds = len(order) // 3
    deaths = [(Kind.KILL, name) for name in order]
    freezes = [(Kind.FREEZE, name) for name in order[thirds:] + order[:thirds]]
    restarts = [(Kind.RESTART, name) for name in order[2 * thirds :] + order[: 2 * thirds] if name != "model"]
    disks = [(Kind.DISK_FULL, "postgres"), (Kind.DISK_FULL, "seaweedfs"), (Kind.DISK_STALLED, "postgres")]
    clock = (Kind.CLOCK, chance.choice(CLOCKED))
    others = [(Kind.FLUSH, "valkey"), (Kind.MEMORY_FULL, "valkey"), clock, (Kind.RUBBISH, "model")]
    rows = [deaths, freezes, chance.sample(disks, k=3), chance.sample(others, k=4), restarts]
    deck = []
    while any(rows):
        deck += [row.pop(0) for row in chance.sample(rows, k=len(rows)) if row]
    return deck[::-1]  # it is dealt from its end


def _blow(kind: Kind, target: str, at: float, chance: random.Random) -> Blow:
    match kind:
        case Kind.FREEZE | Kind.DISK_STALLED | Kind.DISK_FULL | Kind.MEMORY_FULL | Kind.RUBBISH:
            return Blow(kind, target, at, chance.uniform(4.0, 9.0))
        case Kind.CLOCK:
            step = chance.choice((-1.0, 1.0)) * _CLOCK_STEP_SECONDS
            return Blow(kind, target, at, chance.uniform(4.0, 9.0), step)
        case _:
            return Blow(kind, target, at)
