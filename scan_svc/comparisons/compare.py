"""One past scan both ways: as it was, and as the other classifier or rule book has it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from mesh.errors import EcoError
from mesh.reasons import Reason
from scan_svc.comparisons.comparisons import DIFFERENCES, ComparisonSpec, Outcome, Pair, Side, Verdict
from scan_svc.mirrors.vision import Classification, Usage
from scan_svc.pipeline.compared_peers import Advised, Look
from scan_svc.pipeline.retries import backoff
from scan_svc.scans import Scan

_TRIES = 3
_VISION = "vision"
# What a classifier says of a photo without naming a category: an outcome, not a failure.
_SAYS_NOTHING = frozenset({Reason.NOT_WASTE, Reason.PHOTO_UNCLEAR})
# Another try may do better; if none does, this scan has failed, or what is in `_OF_ALL` lasts.
_RETRIED = frozenset(
    {
        Reason.MODEL_TIMED_OUT,
        Reason.MODEL_OUTPUT_INVALID,
        Reason.MODEL_RATE_LIMITED,
        Reason.MODEL_UNAVAILABLE,
        Reason.LIMIT_EXCEEDED,
        Reason.DEADLINE_EXCEEDED,
    }
)
# These would meet every other scan as well: the comparison waits, or ends.
_OF_ALL = frozenset(
    {
        Reason.CLASSIFIER_UNKNOWN,
        Reason.RULEBOOK_UNKNOWN,
        Reason.MODEL_BUDGET_SPENT,
        Reason.MODEL_REJECTED,
        Reason.MODEL_RATE_LIMITED,
        Reason.MODEL_UNAVAILABLE,
        Reason.LIMIT_EXCEEDED,
        Reason.UNAVAILABLE,
        Reason.UNAUTHENTICATED,
        Reason.CALLER_NOT_ALLOWED,
        Reason.NOT_IMPLEMENTED,
    }
)


class Peers(Protocol):
    """Who is asked; `scan_svc.pipeline.compared_peers.ComparedPeers`."""

    async def look(self, scan: Scan, classifier: str) -> Look:
        """What a classifier says of the clean copy of a scan's photo."""

    async def advise(self, scan: Scan, found: Classification, version: str) -> Advised:
        """What a rule book says of what a photo shows."""


class Comparer:
    """Compares scans, one at a time.

    Args:
        peers: Who is asked.
        spec: What is compared.
        paid: Told each sum that was paid, in millionths of a dollar, failed tries included.
        pause: The longest pause before the second try, in seconds.
    """

    def __init__(self, peers: Peers, spec: ComparisonSpec, paid: Callable[[int], None], pause: float = 1.0) -> None:
        self._peers = peers
        self._spec = spec
        self._paid = paid
        self._pause = pause

    async def compare(self, scan: Scan, verdict: Verdict | None) -> Pair:
        """One scan both ways.

        Args:
            scan: One that has succeeded.
            verdict: What its user has said last of its classification.

        Raises:
            EcoError: What would meet every other scan as well.
        """
        found = scan.results.vision
        if found is None:
            return Pair(Outcome.SKIPPED, Reason.NO_RESULT)
        cost = [0]
        try:
            pair = await self._compare(scan, found, cost)
        except EcoError as error:
            if error.reason in _OF_ALL:
                raise
            outcome = Outcome.SKIPPED if error.reason is Reason.PHOTO_NOT_FOUND else Outcome.FAILED
            return Pair(outcome, error.reason, after=Side("", cost_micro_usd=cost[0]) if cost[0] else None)
        truth = found.category.path if verdict in (Verdict.CONFIRMED, Verdict.CORRECTED) else ""
        return replace(pair, truth=truth, denied=verdict is Verdict.DENIED)

    async def _compare(self, scan: Scan, found: Classification, cost: list[int]) -> Pair:
        spec = self._spec
        seen = _as_seen(found) if spec.classifier else found
        before, told_before = await self._advised(scan, seen, spec.current_version)
        run = next((one for one in scan.stages if one.stage == _VISION), None)
        if run:
            before = replace(
                before, cost_micro_usd=run.usage.cost_micro_usd if run.usage else None, duration_ms=run.duration_ms
            )
        if not spec.classifier:
            after, told_after = await self._advised(scan, found, spec.rulebook_version)
            return Pair(Outcome.COMPARED, "", before, after, _differences(before, told_before, after, told_after))
        began = time.monotonic()
        try:
            look = await self._look(scan, cost)
        except EcoError as error:
            if error.reason not in _SAYS_NOTHING:
                raise
            after, told = Side(error.reason.value, cost_micro_usd=cost[0] or None), None
        else:
            took = None if look.remembered else round((time.monotonic() - began) * 1000)
            after, told = await self._advised(scan, look.found, spec.rulebook_version or spec.current_version)
            after = replace(after, cost_micro_usd=cost[0] or None, duration_ms=took)
        return Pair(Outcome.COMPARED, "", before, after, _differences(before, told_before, after, told))

    async def _advised(self, scan: Scan, found: Classification, version: str) -> tuple[Side, Advised]:
        """What somebody would be told of what a photo shows."""
        told = await self._peers.advise(scan, found, version)
        rule_ids = tuple(rule.rule_id for rule in told.rules)
        return Side(found.category.path, found.confidence, rule_ids, told.rules[0].container), told

    async def _look(self, scan: Scan, cost: list[int]) -> Look:
        """Asks the classifier, again if that may help; adds up in `cost` what all tries have cost."""
        attempt = 1
        while True:
            try:
                look = await self._peers.look(scan, self._spec.classifier)
            except EcoError as error:
                self._pay(Usage.of_failure(error.metadata), cost)
                if error.reason not in _RETRIED or attempt == _TRIES:
                    raise
                await asyncio.sleep(backoff(self._pause, attempt, error))
                attempt += 1
            else:
                self._pay(look.usage, cost)
                return look

    def _pay(self, usage: Usage | None, cost: list[int]) -> None:
        if usage and usage.cost_micro_usd:
            cost[0] += usage.cost_micro_usd
            self._paid(usage.cost_micro_usd)


def _as_seen(found: Classification) -> Classification:
    """What the classifier said, without what its user's words made of it."""
    if found.seen is None:
        return found
    seen = found.seen
    return replace(
        found, category=seen.category, display_name=seen.display_name, confidence=seen.confidence,
        provider=seen.provider, model=seen.model, said=None, seen=None,
    )  # fmt: skip


def _differences(before: Side, told: Advised, after: Side, told_after: Advised | None) -> tuple[str, ...]:
    """In what two outcomes differ; in everything if there is no second one."""
    if told_after is None:
        return DIFFERENCES
    both = {
        "category": (before.category, after.category),
        "rules": (before.rule_ids, after.rule_ids),
        "container": (before.container, after.container),
        "steps": (told.rules[0].steps, told_after.rules[0].steps),
        "answer": (told.answer.text, told_after.answer.text),
    }
    return tuple(name for name, (one, other) in both.items() if one != other)
