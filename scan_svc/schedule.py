"""What of a user's recent scans can be put out in an evening."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from mesh.errors import NotFound
from mesh.reasons import Reason
from scan_svc.mirrors.rules import EveningPlan, Outlook
from scan_svc.mirrors.vision import Classification
from scan_svc.scans import EveningRequest, Scan
from scan_svc.store import ScanStore

_RECENT = timedelta(days=14)
_AT_MOST = 100
_SECONDS = 5.0


class Planner(Protocol):
    """The rule book's plans: `scan_svc.pipeline.clients.RulesPeer`."""

    async def plan_evening(
        self, asked: EveningRequest, things: Sequence[tuple[Scan, Classification]], deadline: float
    ) -> tuple[date, tuple[EveningPlan, ...]]:
        """Which evening is asked about, and for each scan and what it shows when it goes out."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A scan, and when what it shows can be put out."""

    scan: Scan
    plan: EveningPlan


@dataclass(frozen=True, slots=True)
class Evening:
    """An evening.

    Attributes:
        day: The day it begins on.
        tonight: What can go out then, newest scan first.
        later: What goes out on a later evening, the soonest first.
        unknown: What isn't collected by the evening, or whose days aren't known.
    """

    day: date
    tonight: tuple[Scheduled, ...]
    later: tuple[Scheduled, ...]
    unknown: tuple[Scheduled, ...]


class EveningSchedule:
    """Evenings of one user at a time.

    Args:
        store: The scans.
        planner: Knows the days.
        clock: The time.
        put_out: Awaited with user and scan when one was put out.
    """

    def __init__(
        self,
        store: ScanStore,
        planner: Planner,
        clock: Callable[[], datetime],
        put_out: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._store = store
        self._planner = planner
        self._clock = clock
        self._put_out = put_out

    async def evening(self, asked: EveningRequest) -> Evening:
        """What of a user's recent scans goes out in an evening.

        Raises:
            InvalidArgument: The rule book can't read what is asked.
            Unavailable: The rule book is down.
        """
        scans = await self._store.to_put_out(asked.user_id, self._clock() - _RECENT, _AT_MOST)
        things = [(scan, scan.results.vision) for scan in scans if scan.results.vision]
        day, plans = await self._planner.plan_evening(asked, things, _SECONDS)
        planned = [Scheduled(scan, plan) for (scan, _), plan in zip(things, plans, strict=True)]
        by_outlook = {outlook: [one for one in planned if one.plan.outlook is outlook] for outlook in Outlook}
        return Evening(
            day,
            tuple(by_outlook[Outlook.TONIGHT]),
            tuple(sorted(by_outlook[Outlook.LATER], key=lambda one: one.plan.date)),
            tuple(by_outlook[Outlook.UNKNOWN]),
        )

    async def mark_put_out(self, user_id: str, scan_id: str) -> None:
        """Leaves a scan out from now on.

        Raises:
            NotFound: The user has no such scan.
        """
        if not await self._store.mark_put_out(user_id, scan_id):
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
        await self._put_out(user_id, scan_id)
