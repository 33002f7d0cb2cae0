"""The work of a comparison: draws its sample, then compares scan after scan, as far as its money goes."""

import asyncio
import functools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

import structlog

from mesh import outages
from mesh.errors import EcoError, FailedPrecondition, FieldViolation, InvalidArgument, PermissionDenied
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.client_jobs.work import Later, Result, Task
from scan_svc.comparisons import compare
from scan_svc.comparisons.comparisons import OPERATORS, ComparisonResult, ComparisonSpec, Ending, Outcome, Pair
from scan_svc.comparisons.store import ComparisonStore, Pending
from scan_svc.scans import Scan

_log = structlog.get_logger("comparisons")

CURRENT, OFFLINE = "current", "offline"
_SCANS, _MOST_USD = 200, 1_000_000
# For so long storage keeps clean copies of photos.
_KEPT = timedelta(days=30)
# Scans under way at once; Vision has as many places for comparisons.
_WINDOW = 4
_PAGE = 50
_CHECKPOINT_SECONDS = 2.0
# How often it is looked whether there is money again, once the day's is spent.
_MONEY_SECONDS = 3600.0

DRAW, COMPARE = "draw", "compare"
"""Its steps."""

GetScans = Callable[[Sequence[str]], Awaitable[Mapping[str, Scan | Exception]]]
"""Those of the scans that exist, by id; of one that can't be read, why. `scan_svc.store.ScanStore.get_many`."""


class Peers(compare.Peers, Protocol):
    """Who is asked; `scan_svc.pipeline.compared_peers.ComparedPeers`."""

    async def classifiers(self) -> tuple[str, ...]:
        """Whom `look` can ask."""

    async def rulebooks(self) -> dict[str, str]:
        """Versions by name of the rule books that `advise` can ask."""


class ComparisonWork:
    """What a comparison does.

    Args:
        store: Where samples are.
        scans: Reads scans.
        peers: Vision and Rules.
        clock: The time.
    """

    def __init__(self, store: ComparisonStore, scans: GetScans, peers: Peers, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._scans = scans
        self._peers = peers
        self._clock = clock

    async def prepare(self, user_id: str, spec: ComparisonSpec) -> ComparisonSpec:
        """The spec with what was left open: the time, the counts, the rule books' versions.

        Raises:
            PermissionDenied: A user asks for one.
            InvalidArgument: Nothing is to be compared, or the time ends before it begins.
            FailedPrecondition: CLASSIFIER_UNKNOWN or RULEBOOK_UNKNOWN.
        """
        if user_id != OPERATORS:
            raise PermissionDenied(Reason.OPERATORS_ONLY)
        if not spec.classifier and spec.rulebook in ("", CURRENT):
            raise _invalid(
                "classifier", "comparison.nothing", "무엇과 비교할지 정해 주세요", "name what to compare with"
            )
        since = spec.from_time or self._clock() - _KEPT
        if spec.until_time and spec.until_time <= since:
            raise _invalid("until_time", "time.order", "시작 시각보다 늦어야 해요", "must be later than from_time")
        if spec.classifier and spec.classifier not in (known := await self._peers.classifiers()):
            raise FailedPrecondition(Reason.CLASSIFIER_UNKNOWN, classifier=spec.classifier, known=", ".join(known))
        books = await self._peers.rulebooks()
        named = {**books, **{version: version for version in books.values()}}
        if spec.rulebook and spec.rulebook not in named:
            raise FailedPrecondition(Reason.RULEBOOK_UNKNOWN, rulebook=spec.rulebook)
        return replace(
            spec,
            from_time=since,
            scan_count=spec.scan_count or _SCANS,
            max_cost_micro_usd=spec.max_cost_micro_usd or _MOST_USD,
            current_version=books[CURRENT],
            rulebook_version=named[spec.rulebook] if spec.rulebook else "",
        )

    async def run(self, task: Task) -> Result:
        """Compares what isn't compared yet.

        Raises:
            EcoError: A peer is down, or doesn't know any more what is compared.
            Later: The day's money for comparisons is spent.
        """
        total = task.cursor["total"] if task.cursor else await self._draw(task)
        return await _Run(self._store, self._scans, self._peers, task, total).run()

    async def _draw(self, task: Task) -> int:
        await task.report(DRAW)
        total = await outages.until_available(lambda: self._store.draw(task.job.job_id, task.spec))
        await task.checkpoint({"total": total}, 0, total)
        return total


class _Run:
    """A comparison at work, from where it was.

    Args:
        store: Where the sample is.
        scans: Reads scans.
        peers: Vision and Rules.
        task: The job.
        total: How many scans are in the sample.
    """

    def __init__(self, store: ComparisonStore, scans: GetScans, peers: Peers, task: Task, total: int) -> None:
        self._store = store
        self._scans = scans
        self._task = task
        self._total = total
        self._id, self._spec = task.job.job_id, task.spec
        self._comparer = compare.Comparer(peers, task.spec, self._pay)
        self._upcoming = deque[tuple[Pending, Scan | Exception]]()
        self._position = self._spent = self._done = self._dearest = 0
        self._failure: EcoError | None = None
        self._kept_at = time.monotonic()

    async def run(self) -> Result:
        """Compares the rest of the sample."""
        result, stored = await self._progress()
        # What was paid for scans that are gone since stands with the job alone.
        self._spent = max(self._task.job.cost_micro_usd, stored)
        self._done = result.compared + result.skipped + result.failed
        ending = await self._compare_all()
        if self._failure:
            await self._give_up(self._failure)
        result, _ = await self._progress()
        return Result(replace(result, ending=ending), cost_micro_usd=self._spent)

    async def _compare_all(self) -> Ending:
        running = set[asyncio.Task[None]]()
        try:
            while await self._more() or running:
                while await self._more() and len(running) < _WINDOW and self._affords(len(running)):
                    running.add(asyncio.create_task(self._compare(*self._upcoming.popleft())))
                if not running:
                    return Ending.COST_LIMIT
                finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for one in finished:
                    one.result()
                await self._keep()
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        return Ending.COMPLETE

    async def _more(self) -> bool:
        """Whether another scan is to be begun; reads the next ones if none is in hand."""
        while not self._upcoming and not self._failure:
            page = await outages.until_available(lambda: self._store.pending(self._id, self._position, _PAGE))
            if not page:
                return False
            self._position = page[-1].position
            found = await outages.until_available(functools.partial(self._scans, [one.scan_id for one in page]))
            self._upcoming.extend((one, found[one.scan_id]) for one in page if one.scan_id in found)
        return not self._failure

    def _affords(self, under_way: int) -> bool:
        """Whether another look can be paid; as long as nobody knows what one costs, one after the other."""
        if self._spec.classifier in ("", OFFLINE):
            return True
        most: int = self._spec.max_cost_micro_usd
        if not self._dearest:
            return not under_way and self._spent < most
        return self._spent + (under_way + 1) * self._dearest <= most

    async def _compare(self, pending: Pending, scan: Scan | Exception) -> None:
        if isinstance(scan, Exception):
            pair = Pair(Outcome.FAILED, Reason.INTERNAL)
        else:
            try:
                pair = await self._comparer.compare(scan, pending.verdict)
            except EcoError as error:
                # Those under way may end; what they have paid for is kept.
                self._failure = self._failure or error
                return
        await outages.until_available(lambda: self._store.record(self._id, pending.position, pair))
        self._done += 1

    async def _keep(self) -> None:
        await self._task.report(COMPARE, self._done, self._total)
        if time.monotonic() - self._kept_at >= _CHECKPOINT_SECONDS:
            self._kept_at = time.monotonic()
            await self._checkpoint()

    async def _checkpoint(self) -> None:
        await self._task.checkpoint({"total": self._total}, self._done, self._total, self._spent)

    async def _give_up(self, error: EcoError) -> None:
        """Keeps what was done; then waits for money, or fails."""
        await self._checkpoint()
        if error.reason is not Reason.MODEL_BUDGET_SPENT:
            raise error
        _log.info("comparison waits for money", comparison_id=self._id)
        raise Later(min(error.retry_after or _MONEY_SECONDS, _MONEY_SECONDS))

    async def _progress(self) -> tuple[ComparisonResult, int]:
        return await outages.until_available(lambda: self._store.progress(self._id))

    def _pay(self, micro_usd: int) -> None:
        self._spent += micro_usd
        self._dearest = max(self._dearest, micro_usd)


def _invalid(field: str, rule: str, ko: str, en: str) -> InvalidArgument:
    path = f"comparison.{field}"
    violation = FieldViolation(path, rule, MappingProxyType({Locale.KO: ko, Locale.EN: en}))
    return InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields=path)
