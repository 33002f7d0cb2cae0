"""Evenings over the wire: those of a matched rule, and plans for several things."""

from collections.abc import Awaitable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import pytest
from google.type.latlng_pb2 import LatLng

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.disposal_pb2 import EveningPlan
from eco2.vision.v1.classification_pb2 import Category
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceAsyncStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILM = Category(major="재활용폐기물", middle="비닐류")
BATTERY = Category(major="재활용폐기물", middle="전지")
MAPO = LatLng(latitude=37.5560, longitude=126.9235)
WEDNESDAY = "2026-12-02"
TONIGHT, LATER, UNKNOWN = (
    EveningPlan.OUTLOOK_TONIGHT,
    EveningPlan.OUTLOOK_LATER,
    EveningPlan.OUTLOOK_UNKNOWN,
)


async def planned(rules: "RulesServiceAsyncStub", *things: pb.Waste, day: str = WEDNESDAY) -> pb.PlanEveningResponse:
    return await rules.PlanEvening(pb.PlanEveningRequest(things=things, date=day, locale="en"))


async def refused_fields(call: Awaitable[object]) -> list[str]:
    """The fields that a refused request names."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    error = from_rpc_error(refused.value, "rules")
    assert (refused.value.code(), error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)
    return error.metadata["fields"].split(", ")


async def test_each_thing_is_planned_where_it_is(rules: "RulesServiceAsyncStub") -> None:
    """By name or by place, in the order asked, each with the rule to follow and its region."""
    here = pb.Waste(category=FILM, region="마포구")
    response = await planned(
        rules,
        here,
        pb.Waste(category=FILM, location=MAPO),
        pb.Waste(category=FILM, region="노원구"),
        pb.Waste(category=FILM),
        pb.Waste(category=BATTERY, region="마포구"),
    )
    assert response.date == WEDNESDAY
    assert [one.outlook for one in response.plans] == [TONIGHT, TONIGHT, LATER, UNKNOWN, UNKNOWN]
    first, second, later, nowhere, box = response.plans
    assert (first.region.key, second.region.asked) == ("서울특별시/마포구", "서울특별시/마포구")
    assert (first.as_of, later.date, nowhere.date, box.date) == ("2026-07-03", "2026-12-03", "", "")
    assert first.open_time.ToDatetime(tzinfo=UTC) == datetime(2026, 12, 2, 9, tzinfo=UTC), "18:00 in Korea"
    assert first.close_time.ToDatetime(tzinfo=UTC) == datetime(2026, 12, 2, 15, tzinfo=UTC), "midnight in Korea"
    assert not later.HasField("open_time"), "no source tells 노원구's hours"
    assert first.rule.place == "in front of your house, in a clear bag"
    assert box.rule.container


async def test_a_things_situation_decides_too(rules: "RulesServiceAsyncStub") -> None:
    """Dirty film goes with the general waste, on its days."""
    dirty = pb.Waste(category=FILM, tags=["오염_심함"], region="마포구")
    [plan] = (await planned(rules, dirty, day="2026-11-30")).plans
    assert (plan.outlook, plan.rule.category.major) == (TONIGHT, "일반종량제폐기물")


async def test_what_another_edition_knew_and_nonsense_are_planned_as_unknown(rules: "RulesServiceAsyncStub") -> None:
    """Scans outlive editions, and one odd scan must not cost the others their evening."""
    odd = pb.Waste(category=Category(major="없는것", middle="더없는것"), tags=["없는_상황"], region="\u202e¿?😀")
    plans = (await planned(rules, odd, pb.Waste(category=FILM, region="마포구"))).plans
    assert [one.outlook for one in plans] == [UNKNOWN, TONIGHT]
    assert not (await planned(rules)).plans


async def test_a_day_that_does_not_exist_is_refused(rules: "RulesServiceAsyncStub") -> None:
    """With the field's name."""
    for day in ("2026-02-30", "2026-2-3", "1999-12-31", "tomorrow", "2026-12-02T00:00:00Z"):
        assert await refused_fields(planned(rules, day=day)) == ["date"], day


async def test_too_much_and_unreadable_things_are_refused(rules: "RulesServiceAsyncStub") -> None:
    """Each with its field."""
    film = pb.Waste(category=FILM)
    assert await refused_fields(planned(rules, *[film] * 101)) == ["things"]
    assert await refused_fields(planned(rules, film, pb.Waste(category=FILM, region="가" * 101))) == [
        "things[1].region"
    ]
    assert await refused_fields(planned(rules, pb.Waste(region="마포구"))) == ["things[0].category"]
    assert len((await planned(rules, *[film] * 100)).plans) == 100


async def test_a_matched_rule_names_the_next_evenings(rules: "RulesServiceAsyncStub") -> None:
    """As dates, so that they are true whenever a stored scan is read; only of the rule to follow."""
    response = await rules.MatchRules(pb.MatchRulesRequest(category=FILM, region="마포구"))
    followed, *wider = response.rules
    days = [date.fromisoformat(one.date) for one in followed.evenings]
    assert len(days) == 2, "two Wednesdays in two weeks"
    assert days[1] - days[0] == timedelta(days=7)
    assert {day.weekday() for day in days} == {2}
    assert followed.evenings[0].close_time.ToDatetime(tzinfo=UTC).date() == days[0], "midnight in Korea, 15:00 UTC"
    assert followed.evenings_as_of == "2026-07-03"
    assert not any(rule.evenings or rule.evenings_as_of for rule in wider)
    often = await rules.MatchRules(pb.MatchRulesRequest(category=Category(major="일반종량제폐기물"), region="제주"))
    assert len(often.rules[0].evenings) == 7, "of an evening that comes daily a week is enough"


async def test_unknown_days_make_no_evenings(rules: "RulesServiceAsyncStub") -> None:
    """Nothing is made up."""
    for region in ("", "유성구", "화순군", "아틀란티스"):
        response = await rules.MatchRules(pb.MatchRulesRequest(category=FILM, region=region))
        assert (list(response.rules[0].evenings), response.rules[0].evenings_as_of) == ([], ""), region


async def test_a_regions_collections_are_listed(rules: "RulesServiceAsyncStub") -> None:
    """With their evenings and hours, in the caller's language; none for a region that isn't one."""
    request = pb.ListCollectionsRequest(region="마포구", date=WEDNESDAY, locale="en")
    response = await rules.ListCollections(request)
    assert response.display_name == "Mapo-gu, Seoul"
    film = next(one for one in response.collections if "film" in one.streams)
    assert film.display_name == "clear PET bottles, plastic film"
    assert [evening.date for evening in film.evenings] == ["2026-12-02", "2026-12-09"]
    assert film.evenings[0].open_time.ToDatetime(UTC) == datetime(2026, 12, 2, 9, tzinfo=UTC)
    assert await rules.ListCollections(pb.ListCollectionsRequest(region="없는구")) == pb.ListCollectionsResponse()


async def test_a_day_that_isnt_one_is_refused_of_collections_too(rules: "RulesServiceAsyncStub") -> None:
    """As PlanEvening does."""
    assert await refused_fields(rules.ListCollections(pb.ListCollectionsRequest(date="2026-02-30"))) == ["date"]
