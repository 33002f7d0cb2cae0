"""Buildings over the wire: kept by their managers, joined by a code."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any

import asyncpg
import grpc
import pytest

from eco2.rules.v1 import building_pb2, building_service_pb2
from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.building_service_pb2_grpc import BuildingServiceStub
from eco2.rules.v1.disposal_pb2 import AppliedRegion
from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceStub
from eco2.vision.v1.classification_pb2 import Category
from mesh.grpc.identity import USER_HEADER
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from rules_svc.app import application
from rules_svc.settings import RulesSettings

if TYPE_CHECKING:  # the generated modules have them for type checkers only
    from eco2.rules.v1.building_service_pb2_grpc import BuildingServiceAsyncStub
    from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceAsyncStub

PAPER = Category(major="재활용폐기물", middle="종이")
MANAGER, NEIGHBOUR = "manager@example.com", "neighbour"
NOBODYS = "00000000"
UNKNOWN = (grpc.StatusCode.NOT_FOUND, Reason.BUILDING_UNKNOWN)
REFUSED = (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)


class Service:
    """One running Rules service, as several users call it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._buildings: BuildingServiceAsyncStub = BuildingServiceStub(channel)
        self.rules: RulesServiceAsyncStub = RulesServiceStub(channel)

    async def create(self, user: str = MANAGER, **fields: Any) -> building_pb2.Building:
        request = building_service_pb2.CreateBuildingRequest(building=house(**fields))
        return await self._buildings.CreateBuilding(request, metadata=headers(user))

    async def get(self, code: str, user: str = MANAGER, language: str = "ko") -> building_pb2.Building:
        request = building_service_pb2.GetBuildingRequest(code=code)
        return await self._buildings.GetBuilding(request, metadata=headers(user, language))

    async def managed(self, user: str = MANAGER) -> list[building_pb2.Building]:
        request = building_service_pb2.ListBuildingsRequest()
        return list((await self._buildings.ListBuildings(request, metadata=headers(user))).buildings)

    async def update(self, building: building_pb2.Building, user: str = MANAGER) -> building_pb2.Building:
        request = building_service_pb2.UpdateBuildingRequest(code=building.code, building=building)
        return await self._buildings.UpdateBuilding(request, metadata=headers(user))

    async def delete(self, code: str, user: str = MANAGER, etag: str = "") -> None:
        request = building_service_pb2.DeleteBuildingRequest(code=code, etag=etag)
        await self._buildings.DeleteBuilding(request, metadata=headers(user))

    async def transfer(self, manager: str, to: str) -> None:
        request = building_service_pb2.TransferBuildingsRequest(from_user_id=manager, to_user_id=to)
        assert (await self._buildings.TransferBuildings(request)).done

    async def erase(self, manager: str) -> None:
        assert (await self._buildings.EraseBuildings(building_service_pb2.EraseBuildingsRequest(user_id=manager))).done

    async def match(self, **fields: Any) -> pb.MatchRulesResponse:
        return await self.rules.MatchRules(pb.MatchRulesRequest(category=PAPER, **fields))


def headers(user: str, language: str = "ko") -> tuple[tuple[str, str], ...]:
    return ((USER_HEADER, user), ("accept-language", language))


def house(**fields: Any) -> building_pb2.Building:
    given: dict[str, Any] = {
        "name": "한빛아파트 101동",
        "region": "서울특별시/마포구",
        "place": {"ko": "지하 1층 분리수거장"},
        "collections": [
            {"kind": "KIND_RECYCLABLE", "days": ["WEDNESDAY"], "open_time": "18:00", "close_time": "06:00"}
        ],
        "bins": [{"kind": "KIND_BATTERY", "place": {"en": "by the office"}}],
        "notice": {"ko": "명절에는 쉬어요."},
    }
    return building_pb2.Building(**(given | fields))


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, Reason]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), from_rpc_error(refused.value, "rules").reason


async def bad_fields(call: Awaitable[object]) -> list[str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    return from_rpc_error(refused.value, "rules").metadata["fields"].split(", ")


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """A running service."""
    settings = RulesSettings(database_url=database_url, drain_seconds=0, sample_places=False)
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Service(channel)


async def test_a_building_is_read_by_whoever_knows_its_code(service: Service) -> None:
    """However they write it; nobody is told who manages it."""
    made = await service.create()
    assert len(made.code) == 8
    assert (made.region, made.region_name, made.yours) == ("11440", "서울특별시 마포구", True)
    assert await service.get(made.code) == made
    read = await service.get(f"{made.code[:4].lower()}-{made.code[4:]}", NEIGHBOUR, "en")
    assert (read.region_name, read.yours) == ("Mapo-gu, Seoul", False)
    assert MANAGER.encode() not in read.SerializeToString() + made.SerializeToString()
    sent, kept = house(), building_pb2.Building()
    kept.CopyFrom(read)
    for field in ("code", "region_name", "update_time", "etag", "yours"):
        kept.ClearField(field)
    sent.region = "11440"
    assert kept == sent


async def test_a_code_that_nobody_gave_is_not_found(service: Service) -> None:
    """Nor one that can't be a code."""
    assert await refusal(service.get(NOBODYS)) == UNKNOWN
    for code in ("", "K7PD", "K7PD2MTXX", "K7PD2MT한", "K7PD--2MTX", "'; drop table"):
        assert await refusal(service.get(code)) == REFUSED
    assert await refusal(service.get("AEUAEUAE")) == UNKNOWN


async def test_only_its_manager_changes_a_building(service: Service) -> None:
    """A neighbour may read it, no more; nor may somebody without a name."""
    made = await service.create()
    denied = (grpc.StatusCode.PERMISSION_DENIED, Reason.BUILDING_NOT_YOURS)
    assert await refusal(service.update(made, NEIGHBOUR)) == denied
    assert await refusal(service.delete(made.code, NEIGHBOUR)) == denied
    for call in (
        service.get(made.code, ""),
        service.update(made, ""),
        service.delete(made.code, ""),
        service.managed(""),
    ):
        assert await refusal(call) == (grpc.StatusCode.UNAUTHENTICATED, Reason.UNAUTHENTICATED)
    assert await service.get(made.code) == made
    assert await service.managed(NEIGHBOUR) == []


async def test_of_two_writes_that_read_the_same_one_is_told(service: Service) -> None:
    """Neither is lost unnoticed."""
    made = await service.create()
    changes = [building_pb2.Building.FromString(made.SerializeToString()) for _ in range(5)]
    for number, change in enumerate(changes):
        change.name = f"한빛 {number}"
    outcomes = await asyncio.gather(*map(service.update, changes), return_exceptions=True)
    [written] = [one for one in outcomes if isinstance(one, building_pb2.Building)]
    refused = [one for one in outcomes if isinstance(one, grpc.aio.AioRpcError)]
    assert {(one.code(), from_rpc_error(one, "rules").reason) for one in refused} == {
        (grpc.StatusCode.ABORTED, Reason.BUILDING_CHANGED)
    }
    assert len(refused) == 4
    assert await service.get(made.code) == written
    assert written.etag != made.etag
    for etag in ("", "*", "x", "99999999999999999999", "²"):
        change = building_pb2.Building.FromString(written.SerializeToString())
        change.etag = etag
        expected = REFUSED if not etag else (grpc.StatusCode.ABORTED, Reason.BUILDING_CHANGED)
        assert await refusal(service.update(change)) == expected
    assert await refusal(service.delete(made.code, etag=made.etag)) == (
        grpc.StatusCode.ABORTED,
        Reason.BUILDING_CHANGED,
    )
    await service.delete(made.code, etag=written.etag)
    assert await refusal(service.update(written)) == UNKNOWN
    assert await refusal(service.delete(made.code)) == UNKNOWN


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "building.name"),
    ({"name": "   "}, "building.name"),
    ({"name": "\u3164"}, "building.name"),
    ({"name": "가" * 41}, "building.name"),
    ({"name": "https://example.com"}, "building.name"),
    ({"name": "한빛\n아파트"}, "building.name"),
    ({"name": "<b>한빛"}, "building.name"),
    ({"region": ""}, "building.region"),
    ({"region": "아틀란티스"}, "building.region"),
    ({"region": "서울특별시"}, "building.region"),
    ({"region": "중구"}, "building.region"),
    ({"place": {}}, "building.place"),
    ({"place": {"ko": "가" * 301}}, "building.place.ko"),
    ({"place": {"ko": "지하\x07"}}, "building.place.ko"),
    ({"place": {"en": "a\u202eb"}}, "building.place.en"),
    ({"notice": {"ko": "a\u2028b"}}, "building.notice.ko"),
    ({"collections": [{}]}, "building.collections[0].kind"),
    ({"collections": [{"kind": 99}]}, "building.collections[0].kind"),
    ({"collections": [{"kind": 1, "days": [0]}]}, "building.collections[0].days[0]"),
    ({"collections": [{"kind": 1, "days": [8]}]}, "building.collections[0].days[0]"),
    ({"collections": [{"kind": 1, "days": [1] * 8}]}, "building.collections[0].days"),
    ({"collections": [{"kind": 1, "open_time": "25:00"}]}, "building.collections[0].open_time"),
    ({"collections": [{"kind": 1, "open_time": "24:00"}]}, "building.collections[0].open_time"),
    ({"collections": [{"kind": 1, "close_time": "20:00"}]}, "building.collections[0]"),
    ({"collections": [{"kind": 1, "open_time": "20:00", "close_time": "20:00"}]}, "building.collections[0]"),
    ({"collections": [{"kind": 1}, {"kind": 1}]}, "building.collections"),
    ({"collections": [{"kind": 1}] * 12}, "building.collections"),
    ({"bins": [{"kind": 2}, {"kind": 2}]}, "building.bins"),
    ({"bins": [{}]}, "building.bins[0].kind"),
]


async def test_a_bad_field_is_named_and_nothing_is_stored(service: Service) -> None:
    """At creation and at a change."""
    made = await service.create()
    for fields, field in BAD:
        assert field in await bad_fields(service.create(**fields)), fields
        change = house(**fields)
        change.code, change.etag = made.code, made.etag
        assert field in await bad_fields(service.update(change)), fields
    assert await service.managed() == [made]


async def test_one_user_has_ten_buildings_and_creates_twenty_a_day(
    service: Service, connection: asyncpg.Connection
) -> None:
    """Also when they come at once, and whatever is deleted in between."""
    limit = (grpc.StatusCode.RESOURCE_EXHAUSTED, Reason.BUILDING_LIMIT)
    outcomes = await asyncio.gather(*(service.create() for _ in range(13)), return_exceptions=True)
    made = [one for one in outcomes if isinstance(one, building_pb2.Building)]
    assert len(made) == 10
    assert {one.code for one in made} == {one.code for one in await service.managed()}
    assert await refusal(service.create()) == limit
    await service.create(NEIGHBOUR)
    for _ in range(10):
        await service.delete(made.pop().code)
        made.insert(0, await service.create())
    await service.delete(made.pop().code)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.create()
    error = from_rpc_error(refused.value, "rules")
    assert (error.reason, error.metadata["most"]) == (Reason.BUILDING_LIMIT, "20")
    assert error.retry_after is not None
    assert 86_000 < error.retry_after <= 86_400
    await connection.execute("update rules.building set created_at = created_at - interval '1 day'")
    await service.create()
    deleted = await connection.fetch("select distinct manager, says from rules.building where says is null")
    assert [(row["manager"], row["says"]) for row in deleted] == [("", None)]


async def test_rules_are_matched_with_the_days_of_the_building(service: Service) -> None:
    """Before the region that was sent; and the district's where nothing is joined."""
    made = await service.create()
    own = await service.match(building=made.code.lower(), region="부산광역시/해운대구", locale="en")
    rule = own.rules[0]
    assert (rule.when, rule.place) == ("Every Wednesday, 18:00 to 06:00 the next day", "지하 1층 분리수거장")
    assert rule.local_source.startswith("As your building says (한빛아파트 101동), as of ")
    region = own.region
    assert (region.level, region.building, region.display_name) == (
        AppliedRegion.LEVEL_BUILDING,
        made.code,
        "한빛아파트 101동",
    )
    assert (region.code, region.key, region.asked) == ("11440", "서울특별시/마포구", "서울특별시/마포구")
    assert (region.as_of, region.notice) == (made.update_time.ToDatetime().date().isoformat(), rule.local_source) or (
        region.as_of > made.update_time.ToDatetime().date().isoformat()  # Korea's date
    )
    district = await service.match(region="11440", locale="en")
    assert (district.rules[0].local_source, district.region.building) == ("", "")


async def test_a_change_is_told_at_once_in_the_process_that_made_it(service: Service) -> None:
    """In the others within seconds."""
    made = await service.create()
    assert (await service.match(building=made.code)).rules[0].place == "지하 1층 분리수거장"
    made.place.ko = "정문 옆"
    await service.update(made)
    assert (await service.match(building=made.code)).rules[0].place == "정문 옆"


async def test_a_building_that_is_gone_leaves_its_district(service: Service) -> None:
    """And says so; one that never was leaves the region that was sent."""
    made = await service.create()
    await service.delete(made.code)
    gone = await service.match(building=made.code, region="부산광역시/해운대구")
    district = await service.match(region="11440")
    assert gone.rules[0].local_source == "등록된 건물을 찾을 수 없어 서울특별시 마포구 기준이에요."
    assert gone.rules[0].when == district.rules[0].when
    assert gone.region.notice == f"{gone.rules[0].local_source} {district.region.notice}"
    never = await service.match(building=NOBODYS, region="부산광역시/해운대구")
    assert never.region.asked == "부산광역시/해운대구"
    assert "찾을 수 없어" in never.region.notice


async def test_a_table_that_fails_leaves_the_region(service: Service, connection: asyncpg.Connection) -> None:
    """What was read before goes on being told; a scan never waits for the rest."""
    made, other = await service.create(), await service.create()
    own = await service.match(building=made.code)
    async with connection.transaction():
        await connection.execute("lock table rules.building in access exclusive mode")
        unread = await service.match(building=other.code, region="11440")
        assert unread.rules[0].local_source == "지금은 건물 안내를 확인할 수 없어 서울특별시 마포구 기준이에요."
        assert await service.match(building=made.code) == own


async def test_evenings_are_planned_by_each_thing_s_building(service: Service) -> None:
    """With those of no building and of one that is gone beside it."""
    made = await service.create()
    things = [
        pb.Waste(category=PAPER, building=made.code),
        pb.Waste(category=PAPER, region="11440"),
        pb.Waste(category=PAPER, region="11440", building=NOBODYS),
    ]
    response = await service.rules.PlanEvening(pb.PlanEveningRequest(things=things, date="2026-11-30"))
    own, district, lost = response.plans
    assert (own.date, own.region.building) == ("2026-12-02", made.code)
    assert "저녁 18:00~다음 날 06:00" in own.text
    assert (district.date, lost.date) == ("2026-11-30", "2026-11-30")
    assert (district.region.building, lost.region.building) == ("", "")
    assert "등록된 건물을 찾을 수 없어" in lost.region.notice


async def test_a_guests_buildings_become_anothers_and_nobody_notices(service: Service) -> None:
    """As Auth asks for it, twice; those of others stay theirs."""
    given, others = await service.create("guest"), await service.create(NEIGHBOUR)
    for _ in range(2):
        await service.transfer("guest", MANAGER)
        assert [one.code for one in await service.managed()] == [given.code]
    assert (await service.get(given.code)).etag == given.etag
    assert await refusal(service.delete(given.code, "guest")) == (
        grpc.StatusCode.PERMISSION_DENIED,
        Reason.BUILDING_NOT_YOURS,
    )
    assert [one.code for one in await service.managed(NEIGHBOUR)] == [others.code]
    await service.delete(given.code)


async def test_an_erased_managers_buildings_are_gone_and_so_is_the_manager(
    service: Service, connection: asyncpg.Connection
) -> None:
    """Whoever joined one is told at once, as after a deletion; one that was deleted before forgets its manager, too."""
    building, before = await service.create(), await service.create()
    await service.delete(before.code)
    assert (await service.match(building=building.code)).region.level == AppliedRegion.LEVEL_BUILDING
    for _ in range(2):
        await service.erase(MANAGER)
        assert await refusal(service.get(building.code)) == UNKNOWN
    assert (await service.match(building=building.code)).region.level != AppliedRegion.LEVEL_BUILDING
    assert await connection.fetchval("select count(*) from rules.building where manager = $1", MANAGER) == 0
