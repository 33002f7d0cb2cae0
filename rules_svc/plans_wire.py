"""Evenings as protos: those of a matched rule, and PlanEvening's requests and replies."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import islice

from google.protobuf.timestamp_pb2 import Timestamp

from eco2.rules.v1 import disposal_pb2
from eco2.rules.v1 import rules_service_pb2 as pb
from mesh.locale import Locale
from mesh.validation.dates import day
from rules_svc import regions_wire, wire
from rules_svc.collection.evenings import Evening, evening_of, evenings
from rules_svc.rulebook.collection_days import CollectionDays
from rules_svc.rulebook.plans import AskedEvening, Plan
from rules_svc.rulebook.regions import Regions, ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.rules import Rule

_Outlook = disposal_pb2.EveningPlan.Outlook
_MOST_EVENINGS = 7


def to_evening(request: pb.PlanEveningRequest | pb.ListCollectionsRequest, now: datetime) -> AskedEvening:
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


def from_collections(
    collections: Sequence[CollectionDays], where: ResolvedRegion, regions: Regions, locale: Locale
) -> pb.ListCollectionsResponse:
    """What is collected on which evenings, in one language."""
    name = where.building.says.name if where.building else ""
    return pb.ListCollectionsResponse(
        collections=[
            pb.Collection(
                streams=one.streams,
                display_name=one.name[locale],
                evenings=map(_from_evening, one.evenings),
                as_of=one.as_of,
            )
            for one in collections
        ],
        display_name=name or (regions.name(where.region.key)[locale] if where.region else ""),
    )


def with_evenings(response: pb.MatchRulesResponse, followed: Rule, first: date) -> pb.MatchRulesResponse:
    """The same, its rule to follow with the next evenings on which it goes out, from one on."""
    if followed.hours:
        rule = response.rules[0]
        rule.evenings.extend(map(_from_evening, islice(evenings(followed.hours, first), _MOST_EVENINGS)))
        rule.evenings_as_of = followed.hours_as_of
    return response


def _from_evening(evening: Evening) -> disposal_pb2.Evening:
    return disposal_pb2.Evening(
        date=evening.day.isoformat(), open_time=_timestamp(evening.opens), close_time=_timestamp(evening.closes)
    )


def _timestamp(moment: datetime | None) -> Timestamp | None:
    return Timestamp(seconds=int(moment.timestamp())) if moment else None
