"""Peers inside the worker's own process that answer at once: what is left is the cost of the queue."""

import asyncio
import time
from collections.abc import AsyncGenerator

from scan_svc.mirrors.character import Character, Reward, RewardOutcome
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import Answer, DisposalRule, MatchedRules
from scan_svc.mirrors.vision import Category, Classification, Usage
from scan_svc.pipeline.stages import ANSWER, REWARD, RULES, VISION
from scan_svc.scans import Scan, Step

# Results of the usual size, since they are stored: about 1 kB of JSON a scan.
_METAL = Category("재활용폐기물", "금속류", "알루미늄캔")
_FOUND = Classification(
    _METAL, "알루미늄 캔", ("내용물_있음",), "알루미늄", "캔", False, 0.93, provider="bench", model="bench"
)
_RULE = DisposalRule(
    "metal.can", _METAL, "금속캔", ("내용물을 비워요.", "물로 헹궈요.", "눌러서 부피를 줄여요."),
    "남은 내용물은 다른 재활용품까지 못 쓰게 만들어요.", "캔류 수거함", source="분리배출 안내서",
)  # fmt: skip
_ANSWER = Answer(
    "알루미늄 캔은 내용물을 비우고 물로 헹군 다음 눌러서 캔류 수거함에 넣어 주세요.",
    "비우고, 헹구고, 눌러요.", "깨끗한 알루미늄은 거의 끝없이 다시 쓸 수 있어요.", "캔류 수거함",
    rule_ids=("metal.can",), provider="bench",
)  # fmt: skip
_REWARD = Reward(RewardOutcome.GRANTED, Character("metally", "메탈리", "금속류"), "middle", False)


class InstantPeers:
    """Vision, Rules and Character in one, without any work.

    Args:
        gate: Vision waits for it.

    Attributes:
        starts: When each stage of the scan last at work started, on the monotonic clock of this machine.
        waiting: How many scans wait at the gate.
    """

    def __init__(self, gate: asyncio.Event) -> None:
        self._gate = gate
        self.starts: dict[str, float] = {}
        self.waiting = 0

    async def classify(self, scan: Scan, deadline: float) -> AsyncGenerator[Step | Usage | Classification, None]:
        """A can."""
        self.starts[VISION] = time.monotonic()
        self.waiting += 1
        await self._gate.wait()
        self.waiting -= 1
        yield _FOUND

    async def match(self, scan: Scan, found: Classification, remark: str, deadline: float) -> MatchedRules:
        """One rule."""
        self.starts[RULES] = time.monotonic()
        return MatchedRules(found, (_RULE,))

    async def compose(
        self, scan: Scan, found: Classification, rules: tuple[DisposalRule, ...], deadline: float
    ) -> AsyncGenerator[str | Usage | Answer, None]:
        """An answer, whole."""
        self.starts[ANSWER] = time.monotonic()
        yield _ANSWER

    async def advise(
        self, scan: Scan, found: Classification, deadline: float
    ) -> AsyncGenerator[MatchedRules | str | Usage | Answer, None]:
        """Both."""
        self.starts[RULES] = time.monotonic()
        yield MatchedRules(found, (_RULE,))
        self.starts[ANSWER] = time.monotonic()
        yield _ANSWER

    async def places(self, scan: Scan, category: Category, deadline: float) -> tuple[Place, ...]:
        """None: scans in the benchmark have no location."""
        return ()

    async def evaluate(
        self, scan: Scan, found: Classification, rule_count: int, insufficiency_count: int, deadline: float
    ) -> Reward:
        """A character."""
        self.starts[REWARD] = time.monotonic()
        return _REWARD
