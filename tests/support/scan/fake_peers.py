"""Vision, Rules and Character as the pipeline's clients see them, in this process."""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from scan_svc.mirrors.character import Reward, RewardOutcome
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import Answer, DisposalRule, MatchedRules
from scan_svc.mirrors.vision import Category, Classification
from scan_svc.scans import Scan

METAL = Category("재활용폐기물", "금속류")


class FakePeers:
    """All three. `before[stage]` runs first: raise to fail, wait to hold."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.before: dict[str, Callable[[], Awaitable[object]]] = {}

    async def _called(self, stage: str) -> None:
        self.calls[stage] += 1
        if stage in self.before:
            await self.before[stage]()

    async def classify(self, scan: Scan, deadline: float) -> AsyncGenerator[Classification, None]:
        await self._called("vision")
        yield Classification(METAL)

    async def match(self, scan: Scan, found: Classification, remark: str, deadline: float) -> MatchedRules:
        await self._called("rules")
        return MatchedRules(found, (DisposalRule("metal", METAL),))

    async def compose(
        self, scan: Scan, found: Classification, rules: Any, deadline: float
    ) -> AsyncGenerator[Any, None]:
        await self._called("answer")
        yield Answer("비우고 내놓아요.")

    async def advise(self, scan: Scan, found: Classification, deadline: float) -> AsyncGenerator[Any, None]:
        matched = await self.match(scan, found, scan.user_input, deadline)
        yield matched
        async for event in self.compose(scan, matched.found, matched.rules, deadline):
            yield event

    async def places(self, scan: Scan, category: Category, deadline: float) -> tuple[Place, ...]:
        return ()

    async def evaluate(
        self, scan: Scan, found: Classification, rule_count: int, insufficiency_count: int, deadline: float
    ) -> Reward:
        await self._called("reward")
        return Reward(RewardOutcome.GRANTED)
