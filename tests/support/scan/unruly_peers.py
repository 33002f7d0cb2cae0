"""Peers that take their time, fail, hang, kill, and write down what they were paid for."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from mesh.errors import Unavailable
from mesh.reasons import Reason
from scan_svc.mirrors.character import Reward, RewardOutcome
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import Answer, DisposalRule, MatchedRules
from scan_svc.mirrors.vision import Category, Classification, Usage
from scan_svc.pipeline.stages import ANSWER, DEFAULTS, PLACES, REWARD, RULES, VISION, Stage
from scan_svc.scans import Scan, Step
from tests.support.scan.journal import Journal

POISON = "poison"

_METAL = Category("재활용폐기물", "금속류")
# Shortest and longest usual time, and the deadline, in seconds: the product's, twenty times faster.
_PACE: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        VISION: (0.2, 0.8, 3.0),
        RULES: (0.02, 0.1, 1.5),
        ANSWER: (0.2, 0.8, 3.0),
        PLACES: (0.02, 0.1, 0.5),
        REWARD: (0.02, 0.1, 1.5),
    }
)
STAGES: Mapping[str, Stage] = MappingProxyType(
    {name: replace(stage, deadline=_PACE[name][2]) for name, stage in DEFAULTS.items()}
)


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How the peers behave.

    Attributes:
        fails: Share of tries that fail.
        hangs: Share of tries that never end.
        hold: The stage whose tries never end; none if empty.
    """

    fails: float = 0.10
    hangs: float = 0.02
    hold: str = ""


class UnrulyPeers:
    """Vision, Rules and Character in one.

    Args:
        journal: Where they write.
        fault_rates: How they behave.
    """

    def __init__(self, journal: Journal, fault_rates: FaultRates) -> None:
        self._journal = journal
        self._fault_rates = fault_rates
        self._random = random.Random()

    async def classify(self, scan: Scan, deadline: float) -> AsyncGenerator[Step | Usage | Classification, None]:
        """A step, then metal."""
        began = self._journal.started(scan.scan_id, VISION)
        yield Step.CLASSIFY
        await self._work(scan, VISION, began)
        yield Classification(_METAL)

    async def match(self, scan: Scan, found: Classification, remark: str, deadline: float) -> MatchedRules:
        """One rule."""
        await self._work(scan, RULES, self._journal.started(scan.scan_id, RULES))
        return MatchedRules(found, (DisposalRule("metal", _METAL),))

    async def compose(
        self, scan: Scan, found: Classification, rules: tuple[DisposalRule, ...], deadline: float
    ) -> AsyncGenerator[str | Usage | Answer, None]:
        """Some text, then the answer; or the end of this process."""
        if scan.user_input == POISON:
            self._journal.poisoned(scan.scan_id, ANSWER)
            os.kill(os.getpid(), signal.SIGKILL)
        began = self._journal.started(scan.scan_id, ANSWER)
        yield "…"
        await self._work(scan, ANSWER, began)
        yield Answer("비우고 내놓아요.")

    async def advise(
        self, scan: Scan, found: Classification, deadline: float
    ) -> AsyncGenerator[MatchedRules | str | Usage | Answer, None]:
        """Both."""
        matched = await self.match(scan, found, scan.user_input, deadline)
        yield matched
        async for event in self.compose(scan, matched.found, matched.rules, deadline):
            yield event

    async def places(self, scan: Scan, category: Category, deadline: float) -> tuple[Place, ...]:
        """None nearby."""
        await asyncio.sleep(self._random.uniform(*_PACE[PLACES][:2]))
        self._stumble(scan, PLACES)
        return ()

    async def evaluate(
        self, scan: Scan, found: Classification, rule_count: int, insufficiency_count: int, deadline: float
    ) -> Reward:
        """Nothing earned."""
        await self._work(scan, REWARD, self._journal.started(scan.scan_id, REWARD))
        return Reward(RewardOutcome.NO_RULES)

    async def _work(self, scan: Scan, stage: str, began: float) -> None:
        shortest, longest, _ = _PACE[stage]
        seconds = self._random.uniform(shortest, longest)
        await asyncio.sleep(seconds / 2)
        if scan.user_input != POISON:
            self._stumble(scan, stage)
            if stage == self._fault_rates.hold or self._random.random() < self._fault_rates.hangs:
                await asyncio.Event().wait()
        # The model has answered and will be on the bill; its answer is on the way.
        self._journal.paid(scan.scan_id, stage, began)
        await asyncio.sleep(seconds / 2)

    def _stumble(self, scan: Scan, stage: str) -> None:
        if self._random.random() < self._fault_rates.fails:
            raise Unavailable(Reason.UNAVAILABLE, peer=stage)
