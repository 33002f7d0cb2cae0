"""The stages of a scan: what each does, how long it may take, how often it is tried.

Nothing here knows how results are kept; `scan_svc.pipeline.executor` does that between the stages.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypeVar

import structlog
from msgspec.structs import replace

from mesh.concurrency.fair_slots import FairSlots
from scan_svc.jobs.user_shares import reserve_of
from scan_svc.mirrors.character import Reward
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import Answer
from scan_svc.mirrors.vision import Classification, Usage
from scan_svc.pipeline.advice import Advice
from scan_svc.pipeline.interfaces import Characters, Rules, Vision
from scan_svc.pipeline.retries import PERMANENT
from scan_svc.results import Results
from scan_svc.scans import Scan, StageRun, Step

_log = structlog.get_logger("pipeline")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        name: Its name in the job table.
        deadline: Seconds one try may take.
        attempts: Tries before the scan fails.
        concurrency: How many of this process' scans may be at it at once; three quarters of them one user's.
    """

    name: str
    deadline: float
    attempts: int
    concurrency: int = 5000


VISION, RULES, ANSWER, REWARD, PLACES = "vision", "rules", "answer", "reward", "places"
# In order; places runs beside answer, and only with a location. The answer ends the scan; its reward is a job apart.
ORDER = (VISION, RULES, ANSWER)
# What costs nothing and is done again in milliseconds: its result is stored together with the next one's.
FREE = frozenset({RULES})
DEFAULTS: Mapping[str, Stage] = MappingProxyType(
    {
        stage.name: stage
        for stage in (
            Stage(VISION, 60, 3),
            Stage(RULES, 5, 5),
            Stage(ANSWER, 60, 3),
            Stage(REWARD, 10, 3),
            Stage(PLACES, 5, 3),
        )
    }
)

# Tells how far a stage is: the step, the percentage, and what is known by now.
Report = Callable[[Scan], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Try:
    """One try of a stage.

    Attributes:
        scan: The scan with the results of the stages before.
        report: Told every step.
        deadline: Seconds the try may take.
        seconds_left: Seconds that are left to the scan.
        advice: The answer, if it may be begun with the rules, or was.
    """

    scan: Scan
    report: Report
    deadline: float
    seconds_left: float
    advice: Advice | None


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """A stage that is done.

    Attributes:
        scan: The scan with the stage's results.
        usage: What a model call cost; None where none was made.
        beside: The stage that ran beside it, if one did.
        revises: The earlier stages whose results it changed.
    """

    scan: Scan
    usage: Usage | None = None
    beside: StageRun | None = None
    revises: tuple[str, ...] = ()


class Pipeline:
    """Runs single stages.

    Args:
        stages: Their limits, by name.
        vision: The Vision service.
        rules: The Rules service.
        characters: The Character service.
    """

    def __init__(self, stages: Mapping[str, Stage], vision: Vision, rules: Rules, characters: Characters) -> None:
        self._stages = stages
        self._slots = {stage.name: _slots(stage) for stage in stages.values()}
        self._vision = vision
        self._rules = rules
        self._characters = characters
        self._run: Mapping[str, Callable[[_Try], Awaitable[StageOutcome]]] = {
            VISION: self._classify,
            RULES: self._match,
            ANSWER: self._answer,
        }

    def remaining(self, name: str) -> tuple[Stage, ...]:
        """The stages from the named one on; none from `reward` on, at which the release before may have left a scan."""
        return () if name == REWARD else tuple(self._stages[stage] for stage in ORDER[ORDER.index(name) :])

    def stage(self, name: str) -> Stage:
        """The limits of one stage."""
        return self._stages[name]

    def advice(self) -> Advice:
        """For one scan: what lets its answer begin with its rules."""
        return Advice(self._rules, self._slots[ANSWER])

    async def perform(
        self,
        stage: Stage,
        scan: Scan,
        report: Report,
        deadline: float,
        begin: Callable[[], Awaitable[None]],
        advice: Advice | None = None,
    ) -> StageOutcome:
        """Runs one stage.

        Args:
            stage: Which.
            scan: The scan with the results of the stages before.
            report: Called with every step.
            deadline: Seconds that are left to the scan. Waiting for room is the scan's time, not the stage's.
            begin: Called when there is room, before anything is paid for; raises if there mustn't be.
            advice: At rules: lets the answer begin with them, since they needn't be stored before. At answer: the one
                that may have been begun so, which has its room already.

        Returns:
            The scan with the stage's results, and what they cost.

        Raises:
            EcoError: The stage failed.
            TimeoutError: Its time is up.
        """
        now = asyncio.get_running_loop().time
        ends_at = now() + deadline
        begun = stage.name == ANSWER and advice is not None and advice.begun
        room = nullcontext() if begun else self._slots[stage.name].slot(scan.user_id, batch=scan.batch)
        async with asyncio.timeout_at(ends_at) as timer, room:
            await begin()
            seconds_left = ends_at - now()
            limit = min(stage.deadline, seconds_left)
            timer.reschedule(now() + limit)
            return await self._run[stage.name](_Try(scan, report, limit, seconds_left, advice))

    async def _classify(self, task: _Try) -> StageOutcome:
        scan, usage = task.scan, None
        percents = {Step.FETCH: 10, Step.PREPARE: 30, Step.CLASSIFY: 50}
        async with aclosing(self._vision.classify(scan, task.deadline)) as events:
            async for event in events:
                if isinstance(event, Classification):
                    return StageOutcome(replace(scan, results=replace(scan.results, vision=event)), usage)
                if isinstance(event, Usage):
                    usage = event
                    continue
                scan = replace(scan, step=event, percent=percents[event])
                await task.report(scan)
        raise AssertionError("Vision ended without a result")

    async def _match(self, task: _Try) -> StageOutcome:
        found = _given(task.scan.results.vision)
        scan = replace(task.scan, step=Step.RULES, percent=60)
        await task.report(scan)
        matched = None
        if task.advice:
            matched = await task.advice.begin(scan, found, min(self._stages[ANSWER].deadline, task.seconds_left))
        if matched is None:
            matched = await self._rules.match(scan, found, scan.user_input, task.deadline)
        results = replace(scan.results, vision=matched.found, rules=matched.rules)
        return StageOutcome(replace(scan, results=results), revises=() if matched.found == found else (VISION,))

    async def _answer(self, task: _Try) -> StageOutcome:
        found = _given(task.scan.results.vision)
        scan = replace(task.scan, step=Step.ANSWER, percent=70)
        await task.report(scan)
        nearby = asyncio.create_task(self._places(scan, found)) if scan.location else None
        try:
            answer, usage = await self._compose(scan, found, task)
            done = StageOutcome(replace(scan, results=replace(scan.results, answer=answer)), usage)
            if nearby is None:
                return done
            try:
                await task.report(replace(done.scan, step=Step.PLACES, percent=90))
                await asyncio.wait((nearby,), timeout=self._stages[PLACES].deadline)
            except asyncio.CancelledError:
                # The deadline, or this process leaves: the answer was paid for, so it is handed over all the same.
                return done
            return _with_places(done, nearby)
        finally:
            if nearby:
                nearby.cancel()

    async def _compose(self, scan: Scan, found: Classification, task: _Try) -> tuple[Answer, Usage | None]:
        usage, begun = None, task.advice.rest() if task.advice else None
        rules = _given(scan.results.rules)
        async with aclosing(begun or self._rules.compose(scan, found, rules, task.deadline)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event, usage
                if isinstance(event, Usage):
                    usage = event
                elif isinstance(event, str):
                    scan = replace(scan, answer_draft=scan.answer_draft + event)
                    await task.report(scan)
        raise AssertionError("Rules ended without an answer")

    async def _places(self, scan: Scan, found: Classification) -> tuple[tuple[Place, ...], StageRun] | None:
        """The nearest places and how they were found; None if they weren't: a scan is worth having without them."""
        limits, began = self._stages[PLACES], time.monotonic()
        for attempt in range(1, limits.attempts + 1):
            try:
                async with asyncio.timeout(limits.deadline):
                    places = await self._rules.places(scan, found.category, limits.deadline)
                return places, StageRun(
                    PLACES, attempt, round((time.monotonic() - began) * 1000), ended_at=datetime.now(UTC)
                )
            except Exception as error:  # whatever it is, it isn't the scan's
                _log.warning("places failed", scan_id=scan.scan_id, attempt=attempt, error=repr(error))
                if isinstance(error, PERMANENT):
                    break
        return None

    async def reward(self, scan: Scan) -> Reward:
        """What a scan that has succeeded earned; the same however often it is asked.

        Raises:
            EcoError: It can't be known now.
            TimeoutError: Its time is up.
        """
        found, rules, answer = _given(scan.results.vision), _given(scan.results.rules), _given(scan.results.answer)
        limits = self._stages[REWARD]
        async with self._slots[REWARD].slot(scan.user_id, batch=scan.batch), asyncio.timeout(limits.deadline):
            return await self._characters.evaluate(
                scan, found, len(rules), len(answer.insufficiencies), limits.deadline
            )


def _slots(stage: Stage) -> FairSlots:
    """Room for a stage, shared among users by the time that they use it."""
    reserve = reserve_of(stage.concurrency)
    return FairSlots(stage.concurrency - reserve, reserve)


def outputs(stage: Stage, results: Results) -> dict[str, object]:
    """What of the results a stage has produced, by name of the stage that keeps it."""
    names = (ANSWER, PLACES) if stage.name == ANSWER else (stage.name,)
    return {name: part for name in names if (part := getattr(results, name)) is not None}


def _with_places(done: StageOutcome, nearby: "asyncio.Task[tuple[tuple[Place, ...], StageRun] | None]") -> StageOutcome:
    """The stage with the places, if they were found by now."""
    found = nearby.result() if nearby.done() else None
    if found is None:
        return done
    places, run = found
    scan = replace(done.scan, step=Step.PLACES, percent=90, results=replace(done.scan.results, places=places))
    return StageOutcome(scan, done.usage, run)


def _given(part: T | None) -> T:
    """A result that an earlier stage must have stored."""
    if part is None:
        raise AssertionError("a stage ran before its inputs were there")
    return part
