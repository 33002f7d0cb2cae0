"""Reminders as client jobs: when each is due, and what becomes of it then."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from mesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, NotFound
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.client_jobs.client_jobs import ClientJob
from scan_svc.client_jobs.work import Later, Result, Task
from scan_svc.mirrors.rules import EveningPlan
from scan_svc.reminders import messages, texts
from scan_svc.reminders.delivery import Notice, Sender
from scan_svc.reminders.due import MOST_AHEAD, due, evening_of, is_quiet
from scan_svc.reminders.messages import Cursor, Delivery, MessageResult, MessageSpec, Outcome
from scan_svc.reminders.subscription_store import SubscriptionStore
from scan_svc.reminders.subscriptions import Subscription
from scan_svc.scans import EveningRequest, Scan, State
from scan_svc.schedule import Planner
from scan_svc.store import ScanStore

_SECONDS = 5.0
# Until the second try of a message, the third, …; there is no evening for more.
_PAUSES = (30.0, 120.0, 600.0, 1800.0)
_DAY = timedelta(days=1)
_NOT_THEN = {
    Locale.KO: "지금부터 2주 안, 08시에서 22시 사이로 정해 주세요",
    Locale.EN: "choose a time within two weeks, between 08:00 and 22:00 in Korea",
}


@dataclass(frozen=True, slots=True)
class ReminderStores:
    """What a reminder is looked up in.

    Attributes:
        scans: The things.
        subscriptions: Where their users are reminded.
    """

    scans: ScanStore
    subscriptions: SubscriptionStore


class ReminderWork:
    """What jobs of kind message do.

    Args:
        stores: Where things and subscriptions are.
        planner: Knows the days.
        sending: Opens what sends messages.
        clock: The time.
    """

    def __init__(
        self,
        stores: ReminderStores,
        planner: Planner,
        sending: Callable[[], AbstractAsyncContextManager[Sender]],
        clock: Callable[[], datetime],
    ) -> None:
        self._scans = stores.scans
        self._subscriptions = stores.subscriptions
        self._planner = planner
        self._sending = sending
        self._clock = clock

    async def prepare(self, user_id: str, spec: MessageSpec) -> MessageSpec:
        """Settles when it is due.

        Raises:
            NotFound: The user has no such scan.
            FailedPrecondition: It hasn't succeeded, is put out, nobody knows its evening, or nobody has subscribed.
            InvalidArgument: The time can't be.
        """
        scan_id, now = spec.scan_id.lower(), self._clock()
        scan = await self._scans.get(scan_id)
        if scan.user_id != user_id:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
        if scan.state is not State.SUCCEEDED or scan.results.vision is None:
            raise FailedPrecondition(Reason.SCAN_STATE, scan_id=scan_id, state=scan.state)
        if await self._scans.is_put_out(scan_id):
            raise FailedPrecondition(Reason.PUT_OUT_ALREADY, scan_id=scan_id)
        if spec.at and not (now <= spec.at <= now + MOST_AHEAD and not is_quiet(spec.at)):
            violation = FieldViolation("reminder.at", "reminder.at", _NOT_THEN)
            raise InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields=violation.field)
        if not await self._wanted(user_id, spec):
            raise FailedPrecondition(Reason.NO_SUBSCRIPTION)
        at = spec.at or await self._due(scan, now)
        if at is None:
            raise FailedPrecondition(Reason.EVENING_UNKNOWN, scan_id=scan_id)
        return replace(spec, scan_id=scan_id, at=at)

    async def run(self, task: Task) -> Result:
        """Sends it, if it is due and still wanted."""
        spec, now = task.spec, self._clock()
        cursor = msgspec.convert(task.cursor, Cursor) if task.cursor else Cursor()
        at = cursor.at or spec.at
        if now < at:
            raise Later((at - now).total_seconds())
        scan = (await self._scans.get_many([spec.scan_id])).get(spec.scan_id)
        if not isinstance(scan, Scan) or scan.user_id != task.job.user_id:
            return _nothing(messages.Reason.SCAN_GONE)
        if await self._scans.is_put_out(spec.scan_id):
            return _nothing(messages.Reason.PUT_OUT)
        plan = await self._plan(scan, at, task.job.locale)
        if not cursor.tries and not cursor.deliveries and not _may_be_told(plan, at, now):
            return await self._put_off(task, scan, now)
        return await self._send(task, cursor, _notice(task.job, scan, plan, now))

    async def _put_off(self, task: Task, scan: Scan, now: datetime) -> Result:
        """The days have changed, or the evening has passed while nobody worked: another evening, if there is one."""
        at = await self._due(scan, now)
        if at is None or at > task.job.created_at + 2 * MOST_AHEAD:
            return _nothing(messages.Reason.NO_EVENING)
        await task.checkpoint(msgspec.to_builtins(Cursor(at=at)))
        raise Later(max(0.0, (at - now).total_seconds()))

    async def _send(self, task: Task, cursor: Cursor, notice: Notice) -> Result:
        wanted = await self._wanted(task.job.user_id, task.spec)
        settled = {one.subscription_id for one in cursor.deliveries}
        open_ones = [one for one in wanted if one.subscription_id not in settled]
        if not open_ones and not cursor.deliveries:
            return _nothing(messages.Reason.NO_SUBSCRIPTION)
        pauses = list[float]()
        async with self._sending() as sender:
            for one in open_ones:
                await task.report("send", len(cursor.deliveries), len(cursor.deliveries) + len(open_ones))
                cursor, pause = await self._tried(sender, notice, one, cursor)
                if pause is not None:
                    pauses.append(pause)
                await task.checkpoint(msgspec.to_builtins(cursor), len(cursor.deliveries), len(wanted))
        if pauses:
            raise Later(min(pauses))
        return Result(MessageResult(date=notice.date, deliveries=cursor.deliveries))

    async def _tried(
        self, sender: Sender, notice: Notice, to: Subscription, cursor: Cursor
    ) -> tuple[Cursor, float | None]:
        """What is known after one try; and in how many seconds it may be tried again, if it may."""
        attempt, subscription_id = await sender.send(notice, to), to.subscription_id
        tries = cursor.tries.get(subscription_id, 0) + 1
        outcome, now = attempt.outcome, self._clock()
        if outcome is None and tries <= len(_PAUSES):
            pause = max(_PAUSES[tries - 1], attempt.pause or 0.0)
            again = now + timedelta(seconds=pause)
            if again < notice.until and not is_quiet(again):
                return replace(cursor, tries=cursor.tries | {subscription_id: tries}), pause
        if outcome is Outcome.GONE:
            await self._subscriptions.forget(to.user_id, subscription_id)
        delivery = Delivery(subscription_id, to.wanted.channel, outcome or Outcome.FAILED, attempt.status)
        return replace(cursor, deliveries=(*cursor.deliveries, delivery)), None

    async def _wanted(self, user_id: str, spec: MessageSpec) -> Sequence[Subscription]:
        found = await self._subscriptions.of_user(user_id)
        return [one for one in found if not spec.channels or one.wanted.channel in spec.channels]

    async def _due(self, scan: Scan, now: datetime) -> datetime | None:
        """By this evening, or by the next one if it is too late for this."""
        day = now
        for _ in range(2):
            plan = await self._plan(scan, day, scan.locale)
            if (at := due(plan, now)) is not None:
                return at
            day += _DAY
        return None

    async def _plan(self, scan: Scan, moment: datetime, locale: Locale) -> EveningPlan:
        asked = EveningRequest(scan.user_id, "", "", evening_of(moment), locale)
        assert scan.results.vision is not None  # it has succeeded
        _, plans = await self._planner.plan_evening(asked, [(scan, scan.results.vision)], _SECONDS)
        return plans[0]


def _may_be_told(plan: EveningPlan, at: datetime, now: datetime) -> bool:
    """Whether it is still the time that was chosen, and not the middle of a night on which we came back."""
    if is_quiet(now):
        return False
    chosen_evening = evening_of(now) == evening_of(at)
    return chosen_evening and (plan.close_time is None or now < plan.close_time or plan.date != str(evening_of(now)))


def _notice(job: ClientJob, scan: Scan, plan: EveningPlan, now: datetime) -> Notice:
    found = scan.results.vision
    name = found.display_name if found else ""
    container = plan.rule.container if plan.rule else ""
    line = f"{name} → {container}" if container else name
    until = plan.close_time or now + timedelta(hours=8)
    title = texts.PUT_OUT_NOW[job.locale].format(thing=name)
    body = " ".join(part for part in (f"{line}." if container else "", plan.text) if part)
    return Notice(job.job_id, scan.scan_id, title, body, plan.date, max(until, now + timedelta(hours=1)))


def _nothing(reason: messages.Reason) -> Result:
    return Result(MessageResult(reason))
