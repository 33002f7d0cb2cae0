"""The stages of a scan: what each does, how long it may take, how often it is tried.

Nothing here knows how results are kept; `scan_svc.worker` does that between the stages.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import structlog

from mesh.errors import (
    EcoError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unauthenticated,
    Unimplemented,
)
from scan_svc.results import Answer, Category, Classification, DisposalRule, Place, Results, Reward
from scan_svc.scans import Scan, Step

_log = structlog.get_logger("pipeline")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        name: Its name in the job table.
        deadline: Seconds one try may take.
        attempts: Tries before the scan fails.
    """

    name: str
    deadline: float
    attempts: int


VISION = Stage("vision", 60, 3)
RULES = Stage("rules", 5, 5)
ANSWER = Stage("answer", 60, 3)
REWARD = Stage("reward", 10, 3)
DONE = Stage("done", 10, 5)
STAGES = (VISION, RULES, ANSWER, REWARD, DONE)
# Beside answer, and only with a location.
PLACES = Stage("places", 5, 3)

# Errors that another try can't mend.
PERMANENT = (InvalidArgument, NotFound, FailedPrecondition, Unauthenticated, Unimplemented)

_BACKOFF_LIMIT = 120.0

# Tells how far a stage is: the step, the percentage, and what is known by now.
Report = Callable[[Scan], Awaitable[None]]


class Vision(Protocol):
    """What the pipeline needs of Vision."""

    def classify(self, scan: Scan, deadline: float) -> AsyncGenerator[Step | Classification, None]:
        """The steps as they begin, then the classification."""


class Rules(Protocol):
    """What the pipeline needs of Rules."""

    async def match(self, scan: Scan, found: Classification, deadline: float) -> tuple[DisposalRule, ...]:
        """The disposal rules for what was found."""

    def compose(
        self, scan: Scan, found: Classification, rules: tuple[DisposalRule, ...], deadline: float
    ) -> AsyncGenerator[str | Answer, None]:
        """Pieces of the answer's text, then the answer."""

    async def places(self, scan: Scan, category: Category, deadline: float) -> tuple[Place, ...]:
        """The nearest places for a category."""


class Characters(Protocol):
    """What the pipeline needs of Character."""

    async def evaluate(
        self, scan: Scan, category: Category, rule_count: int, insufficiency_count: int, deadline: float
    ) -> Reward:
        """What the scan earned; the same however often it is asked."""


def backoff(base: float, attempt: int, error: EcoError) -> float:
    """Seconds until the next try: exponential with full jitter, but never before a peer asked for."""
    limit = min(_BACKOFF_LIMIT, base * 2 ** (attempt - 1))
    return max(random.uniform(0, limit), error.retry_after or 0.0)


class Pipeline:
    """Runs single stages.

    Args:
        vision: The Vision service.
        rules: The Rules service.
        characters: The Character service.
    """

    def __init__(self, vision: Vision, rules: Rules, characters: Characters) -> None:
        self._vision = vision
        self._rules = rules
        self._characters = characters
        self._run: Mapping[str, Callable[[Scan, Report, float], Awaitable[Scan]]] = {
            VISION.name: self._look,
            RULES.name: self._match,
            ANSWER.name: self._answer,
            REWARD.name: self._reward,
        }

    async def perform(self, stage: Stage, scan: Scan, report: Report, deadline: float) -> Scan:
        """Runs one stage.

        Args:
            stage: Which.
            scan: The scan with the results of the stages before.
            report: Called with every step.
            deadline: Seconds it may take.

        Returns:
            The scan with the stage's results.

        Raises:
            EcoError: The stage failed.
            TimeoutError: Its time is up.
        """
        async with asyncio.timeout(deadline):
            return await self._run[stage.name](scan, report, deadline)

    async def _look(self, scan: Scan, report: Report, deadline: float) -> Scan:
        percents = {Step.FETCH: 10, Step.PREPARE: 30, Step.CLASSIFY: 50}
        async with aclosing(self._vision.classify(scan, deadline)) as events:
            async for event in events:
                if isinstance(event, Classification):
                    return replace(scan, results=replace(scan.results, vision=event))
                scan = replace(scan, step=event, percent=percents[event])
                await report(scan)
        raise AssertionError("Vision ended without a result")

    async def _match(self, scan: Scan, report: Report, deadline: float) -> Scan:
        found = _given(scan.results.vision)
        scan = replace(scan, step=Step.RULES, percent=60)
        await report(scan)
        rules = await self._rules.match(scan, found, deadline)
        return replace(scan, results=replace(scan.results, rules=rules))

    async def _answer(self, scan: Scan, report: Report, deadline: float) -> Scan:
        found, rules = _given(scan.results.vision), _given(scan.results.rules)
        scan = replace(scan, step=Step.ANSWER, percent=70)
        await report(scan)
        nearby = asyncio.create_task(self._places(scan, found)) if scan.location else None
        try:
            answer = await self._compose(scan, found, rules, report, deadline)
            scan = replace(scan, results=replace(scan.results, answer=answer))
            if nearby is None:
                return scan
            scan = replace(scan, step=Step.PLACES, percent=90)
            await report(scan)
            return replace(scan, results=replace(scan.results, places=await nearby))
        finally:
            if nearby:
                nearby.cancel()

    async def _compose(
        self, scan: Scan, found: Classification, rules: tuple[DisposalRule, ...], report: Report, deadline: float
    ) -> Answer:
        async with aclosing(self._rules.compose(scan, found, rules, deadline)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
                scan = replace(scan, answer_draft=scan.answer_draft + event)
                await report(scan)
        raise AssertionError("Rules ended without an answer")

    async def _places(self, scan: Scan, found: Classification) -> tuple[Place, ...] | None:
        """The nearest places, or None: a scan is worth having without them."""
        for attempt in range(1, PLACES.attempts + 1):
            try:
                async with asyncio.timeout(PLACES.deadline):
                    return await self._rules.places(scan, found.category, PLACES.deadline)
            except (EcoError, TimeoutError) as error:
                _log.warning("places failed", scan_id=scan.scan_id, attempt=attempt, error=repr(error))
                if isinstance(error, PERMANENT):
                    break
        return None

    async def _reward(self, scan: Scan, report: Report, deadline: float) -> Scan:
        found, rules, answer = _given(scan.results.vision), _given(scan.results.rules), _given(scan.results.answer)
        scan = replace(scan, step=Step.REWARD, percent=95)
        await report(scan)
        reward = await self._characters.evaluate(
            scan, found.category, len(rules), len(answer.insufficiencies), deadline
        )
        return replace(scan, results=replace(scan.results, reward=reward))


def outputs(stage: Stage, results: Results) -> dict[str, object]:
    """What of the results a stage has produced, by name of the stage that keeps it."""
    match stage.name:
        case ANSWER.name:
            parts = {"answer": results.answer, "places": results.places}
        case name:
            parts = {name: getattr(results, name)}
    return {name: part for name, part in parts.items() if part is not None}


def remaining(name: str) -> tuple[Stage, ...]:
    """The stages from the named one on."""
    names = [stage.name for stage in STAGES]
    return STAGES[names.index(name) :]


def _given(part: T | None) -> T:
    """A result that an earlier stage must have stored."""
    if part is None:
        raise AssertionError("a stage ran before its inputs were there")
    return part
