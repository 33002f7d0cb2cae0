"""Workers that scale, and the scans they work on: a day of them takes seconds to simulate.

A pod has so many slots; a scan holds one through its two model calls, and waits in one queue until a slot is free. A
pod that is removed claims nothing more: what of its running calls outlasts the grace is cut short, paid for once more,
and its scan goes back to the front. Times are seconds.
"""

import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take.

    Attributes:
        look: Shortest and longest call to the model that classifies.
        write: The same of the one that writes the answer.
        start: From the decision to add a pod until it claims: scheduling, pulling what isn't there, starting.
        grace: How long a pod that is removed may finish what it is at.
    """

    look: tuple[float, float] = (5.0, 15.0)
    write: tuple[float, float] = (3.0, 10.0)
    start: float = 20.0
    grace: float = 10.0

    @property
    def mean(self) -> float:
        """How long a scan holds a slot."""
        return (sum(self.look) + sum(self.write)) / 2


@dataclass(slots=True)
class Scan:
    """One scan.

    Attributes:
        queued_at: Since when it waits.
        left: What is left of its calls, the current one first.
    """

    queued_at: float
    left: list[float]


@dataclass(slots=True)
class Pod:
    """One worker; `ends` is when what it is at is done, by scan."""

    added_at: float
    ready: bool = False
    leaving: bool = False
    at_work: dict[int, tuple[Scan, simpy.Process]] = field(default_factory=dict)


class Fleet:
    """The queue and its workers.

    Args:
        env: The simulated time.
        slots: Of a pod.
        pace: How long things take.
        pods: How many there are at first.
        chance: Where times come from.
    """

    def __init__(self, env: simpy.Environment, slots: int, pace: Pace, pods: int, chance: random.Random) -> None:
        self.env = env
        self.slots = slots
        self.waits: list[float] = []
        self.cut = 0
        self.pod_seconds = 0.0
        self._pace = pace
        self._chance = chance
        self._waiting: deque[Scan] = deque()
        self._pods = [Pod(env.now, ready=True) for _ in range(pods)]

    @property
    def pods(self) -> int:
        """Those that are to stay, starting ones included."""
        return sum(not pod.leaving for pod in self._pods)

    @property
    def waiting(self) -> int:
        """Scans nobody works on."""
        return len(self._waiting)

    @property
    def at_work(self) -> int:
        """Scans that are worked on."""
        return sum(len(pod.at_work) for pod in self._pods)

    @property
    def oldest_age(self) -> float:
        """How long the first one waits."""
        return self.env.now - self._waiting[0].queued_at if self._waiting else 0.0

    def submit(self) -> None:
        """One scan more."""
        calls = [self._chance.uniform(*self._pace.look), self._chance.uniform(*self._pace.write)]
        self._waiting.append(Scan(self.env.now, calls))
        self._claim()

    def scale(self, pods: int) -> None:
        """Adds or removes pods; the newest go first."""
        while self.pods < pods:
            pod = Pod(self.env.now)
            self._pods.append(pod)
            self.env.process(self._start(pod))
        staying = [pod for pod in self._pods if not pod.leaving]
        for pod in staying[pods:]:
            pod.leaving = True
            self.env.process(self._leave(pod))

    def close(self) -> None:
        """Counts the pods that are left."""
        for pod in self._pods:
            self.pod_seconds += self.env.now - pod.added_at
        self._pods.clear()

    def _claim(self) -> None:
        """Whoever has least to do takes the next scan, as workers leave each other a share."""
        while self._waiting:
            pods = (pod for pod in self._pods if pod.ready and not pod.leaving)
            pod = min(pods, key=lambda pod: len(pod.at_work), default=None)
            if pod is None or len(pod.at_work) >= self.slots:
                return
            scan = self._waiting.popleft()
            self.waits.append(self.env.now - scan.queued_at)
            pod.at_work[id(scan)] = scan, self.env.process(self._work(pod, scan))

    def _work(self, pod: Pod, scan: Scan) -> Generator[simpy.Event, Any, None]:
        try:
            while scan.left and not (pod.leaving and len(scan.left) == 1):
                yield self.env.timeout(scan.left[0])
                scan.left.pop(0)
        except simpy.Interrupt:
            self.cut += 1
        del pod.at_work[id(scan)]
        if scan.left:  # its next call is for another pod
            scan.queued_at = self.env.now
            self._waiting.appendleft(scan)
        self._claim()

    def _start(self, pod: Pod) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(self._pace.start)
        pod.ready = True
        self._claim()

    def _leave(self, pod: Pod) -> Generator[simpy.Event, Any, None]:
        left = [process for _, process in pod.at_work.values()]
        if left:
            yield self.env.timeout(self._pace.grace) | self.env.all_of(left)
        for _, process in list(pod.at_work.values()):
            process.interrupt()
        self.pod_seconds += self.env.now - pod.added_at
        self._pods.remove(pod)


def arrivals(
    env: simpy.Environment,
    rate: Callable[[float], float],
    most: float,
    submit: Callable[[], None],
    chance: random.Random,
) -> Generator[simpy.Event, Any, None]:
    """Scans come at random, so many a second at each moment; never more than `most` on average (thinning)."""
    while True:
        yield env.timeout(chance.expovariate(most))
        if chance.random() * most < rate(env.now):
            submit()
