"""A HorizontalPodAutoscaler with the metrics of a KEDA ScaledObject, by their documented rules.

Every metric asks for a number of pods and the greatest counts. Within the window for scaling in the greatest of what
was asked for counts, within that for scaling out the least. `cooldownPeriod` isn't here: KEDA looks at it only before
it scales to zero, and there is always a pod.
"""

import math
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import simpy

from bench.simulate.fleet import Fleet

_SYNC = 15.0  # of the autoscaler, by default
_TOLERANCE = 0.1  # a ratio as near to one changes nothing, by default

Cron = tuple[float, float, int]


@dataclass(frozen=True, slots=True)
class Rules:
    """How a deployment scales.

    Attributes:
        name: Of this set, for people.
        depth: Scans waiting for each pod; 0: not looked at.
        busy: Share of slots taken, waiting scans included; 0: not looked at.
        age: Seconds the oldest scan may wait; 0: not looked at.
        polling: How often the metrics are read.
        out_window: Scaling out takes the least that was asked for in these seconds.
        in_window: Scaling in takes the greatest that was asked for in these seconds.
        out_pods: Pods added in 15 s at most, unless doubling is more.
        in_share: Share of pods removed in a minute at most.
        least: Pods at least.
        most: Pods at most.
        crons: From which second of a day to which there are at least so many.
    """

    name: str
    depth: float = 0.0
    busy: float = 0.0
    age: float = 0.0
    polling: float = 15.0
    out_window: float = 0.0
    in_window: float = 300.0
    out_pods: int = 4
    in_share: float = 1.0
    least: int = 2
    most: int = 20
    crons: tuple[Cron, ...] = ()


class Autoscaler:
    """Scales a fleet by rules."""

    def __init__(self, fleet: Fleet, rules: Rules, seen: Callable[[float, int, int], None]) -> None:
        self._fleet = fleet
        self._rules = rules
        self._seen = seen
        self._asked: deque[tuple[float, int]] = deque()
        self._read_at = -math.inf
        self._read = (0, 0, 0.0)
        self._removed: deque[tuple[float, int]] = deque()

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Scales for ever."""
        while True:
            yield self._fleet.env.timeout(_SYNC)
            self._look()
            self._seen(self._fleet.env.now, self._fleet.pods, self._fleet.waiting)

    def _look(self) -> None:
        fleet, rules, now = self._fleet, self._rules, self._fleet.env.now
        if now - self._read_at >= rules.polling:
            self._read, self._read_at = (fleet.waiting, fleet.at_work, fleet.oldest_age), now
        self._asked.append((now, self._wanted(fleet.pods)))
        while self._asked[0][0] < now - max(rules.in_window, rules.out_window):
            self._asked.popleft()
        least = min(count for at, count in self._asked if at >= now - rules.out_window)
        most = max(count for at, count in self._asked if at >= now - rules.in_window)
        if least > fleet.pods:
            fleet.scale(min(least, fleet.pods + max(rules.out_pods, fleet.pods)))
        elif most < fleet.pods:
            self._scale_in(most)

    def _scale_in(self, pods: int) -> None:
        """Removes pods, but no more in a minute than the rules allow; one is always allowed."""
        now = self._fleet.env.now
        while self._removed and self._removed[0][0] <= now - 60:
            self._removed.popleft()
        lately = sum(count for _, count in self._removed)
        allowed = max(1, math.floor((self._fleet.pods + lately) * self._rules.in_share)) - lately
        count = min(self._fleet.pods - pods, allowed)
        if count > 0:
            self._removed.append((now, count))
            self._fleet.scale(self._fleet.pods - count)

    def _wanted(self, pods: int) -> int:
        """How many pods the metrics ask for, of which the greatest number counts."""
        rules, (waiting, at_work, age) = self._rules, self._read
        asked = [rules.least]
        if rules.depth:
            asked.append(_stable(pods, waiting / rules.depth))
        if rules.busy:
            asked.append(_stable(pods, (waiting + at_work) / (self._fleet.slots * rules.busy)))
        if rules.age:
            asked.append(_stable(pods, pods * age / rules.age))
        second = self._fleet.env.now % 86_400
        asked += [count for begins, ends, count in rules.crons if begins <= second < ends]
        return min(rules.most, max(asked))


def _stable(pods: int, wanted: float) -> int:
    """What a metric asks for; what is near to what there is changes nothing."""
    return pods if pods and abs(wanted / pods - 1) <= _TOLERANCE else math.ceil(wanted)
