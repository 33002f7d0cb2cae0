"""Protos of PlanEvening to the domain and back."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from eco2.rules.v1 import disposal_pb2
from eco2.rules.v1 import rules_service_pb2 as pb
from mesh.locale import Locale
from mesh.validation.dates import day
from rules_svc import regions_wire, wire
from rules_svc.rulebook.evenings import evening_of
from rules_svc.rulebook.plans import AskedEvening, Plan
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook

_Outlook = disposal_pb2.EveningPlan.Outlook


def to_evening(request: pb.PlanEveningRequest, now: datetime) -> AskedEvening:
    """The evening asked about: of this one only what is left counts.

    Raises:
        InvalidArgument: There is no such day.
    """
    asked = day(request.date, field="date")
    return AskedEvening(asked) if asked else AskedEvening(evening_of(now), now)


def from_plans(
    plans: Sequence[tuple[Plan, ResolvedRegion]], asked: AskedEvening, book: Rulebook, locale: Locale
) -> pb.PlanEveningResponse:
    """The plans, each with the region it was asked for, in one language."""
    return pb.PlanEveningResponse(
        plans=[_from_plan(plan, where, asked, book, locale) for plan, where in plans], date=asked.day.isoformat()
    )


def _from_plan(
    plan: Plan, where: ResolvedRegion, asked: AskedEvening, book: Rulebook, locale: Locale
) -> disposal_pb2.EveningPlan:
    later = _Outlook.OUTLOOK_LATER if plan.evening else _Outlook.OUTLOOK_UNKNOWN
    return disposal_pb2.EveningPlan(
        outlook=_Outlook.OUTLOOK_TONIGHT if plan.tonight else later,
        text=plan.text[locale],
        date=plan.evening.day.isoformat() if plan.evening else "",
        open_time=_timestamp(plan.evening.opens if plan.evening else None),
        close_time=_timestamp(plan.evening.closes if plan.evening else None),
        as_of=plan.rule.hours_as_of,
        rule=wire.from_rule(plan.rule.localized(locale), book.taxonomy),
        region=regions_wire.from_applied(plan.matched, where, book.regions, locale, asked.day),
    )


def _timestamp(moment: datetime | None) -> Timestamp | None:
    return Timestamp(seconds=int(moment.timestamp())) if moment else None
