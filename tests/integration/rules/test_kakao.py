"""Kakao Local as a second source: what it adds, and that its failure harms nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import grpc
import pytest
from google.type.latlng_pb2 import LatLng

from eco2.rules.v1 import rules_service_pb2 as pb
from eco2.rules.v1.disposal_pb2 import Opening
from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceStub
from local.standins.kakao import KakaoStandIn, Shop
from mesh.circuit_breakers import ProviderBreaker
from mesh.redis import open_redis
from rules_svc.app import application
from rules_svc.places.kakao import KakaoPlaces, load_searches
from rules_svc.places.opening_hours import SEOUL
from rules_svc.places.places import Location
from rules_svc.places.quota import AnswerCache, DailyQuota
from rules_svc.settings import RulesSettings
from tests.support.http import http_client

if TYPE_CHECKING:
    from eco2.rules.v1.rules_service_pb2_grpc import RulesServiceAsyncStub

HERE = Location(37.5560, 126.9235)
SHOP = Shop("77", "알맹 가게", 37.5561, 126.9236, "서울 마포구 1-1", "서울 마포구 길 1", "02-1-2")
BOX = Shop("88", "폐건전지수거함", 37.5562, 126.9237)


@pytest.fixture
async def kakao() -> AsyncIterator[KakaoStandIn]:
    """Kakao with one shop and one box."""
    async with KakaoStandIn(shops={"제로웨이스트샵": [SHOP], "폐건전지수거함": [BOX]}).running() as standin:
        yield standin


@asynccontextmanager
async def service(database_url: str, **settings: Any) -> AsyncIterator["RulesServiceAsyncStub"]:
    """A service without samples."""
    chosen = RulesSettings(database_url=database_url, drain_seconds=0, sample_places=False, **settings)
    async with application(chosen) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield RulesServiceStub(channel)


def request(material: str, **fields: Any) -> pb.FindPlacesRequest:
    here = LatLng(latitude=HERE.latitude, longitude=HERE.longitude)
    return pb.FindPlacesRequest(location=here, materials=[material], **fields)


@asynccontextmanager
async def places(kakao: KakaoStandIn, **parts: Any) -> AsyncIterator[KakaoPlaces]:
    """The client alone, with what a test wants to see of it."""
    usual: dict[str, Any] = {
        "searches": load_searches(),
        "cache": AnswerCache(None, 600),
        "quota": DailyQuota(None, 1000, lambda: datetime.now(SEOUL)),
        "breaker": ProviderBreaker(),
        "timeout": 2.0,
    }
    headers = {"authorization": f"KakaoAK {kakao.key}"}
    async with http_client(base_url=kakao.base_url, headers=headers) as client:
        yield KakaoPlaces(client, **usual | parts)


async def test_with_a_key_kakaos_places_are_told_with_their_source(kakao: KakaoStandIn, database_url: str) -> None:
    """Marked as Kakao's, with its own page, and honest about unknown hours."""
    async with service(database_url, kakao_rest_key=kakao.key, kakao_url=kakao.base_url) as rules:
        (found,) = (await rules.FindPlaces(request("유리병"))).places
    assert (found.place_id, found.source, found.is_sample) == ("kakao:77", "kakao", False)
    assert (found.name, found.address, found.phone) == ("알맹 가게", "서울 마포구 길 1", "02-1-2")
    assert found.opening.state == Opening.STATE_UNKNOWN
    assert {link.provider: link.uri for link in found.map_links}["kakao"] == "https://place.map.kakao.com/77"
    assert found.distance_meters < 20
    (asked,) = kakao.requests
    assert (asked["query"], asked["sort"]) == ("제로웨이스트샵", "distance")


async def test_without_a_key_nobody_is_asked(kakao: KakaoStandIn, database_url: str) -> None:
    """A location leaves the house only where the operator said so."""
    async with service(database_url, kakao_url=kakao.base_url) as rules:
        assert not (await rules.FindPlaces(request("유리병"))).places
    assert not kakao.requests


async def test_our_own_place_hides_kakaos_double(
    kakao: KakaoStandIn, database_url: str, connection: asyncpg.Connection
) -> None:
    """The same box in both: ours knows more."""
    await connection.execute(
        "insert into rules.place (place_id, kind, name_ko, name_en, address_ko, address_en, location, materials,"
        " opening_hours_ko, opening_hours_en, is_sample, source)"
        " values ('town:1', 'battery_box', '', '', '', '', $1, array['전지'], '', '', false, 'town')",
        asyncpg.Point(BOX.longitude, BOX.latitude + 0.0002),
    )
    async with service(database_url, kakao_rest_key=kakao.key, kakao_url=kakao.base_url) as rules:
        found = (await rules.FindPlaces(request("전지"))).places
    assert [place.place_id for place in found] == ["town:1"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 429},
        {"key": "another"},
        {"body": b"<html>"},
        {"body": b'{"documents": [{"id": 7}]}'},
    ],
    ids=str,
)
async def test_its_failure_only_leaves_its_places_out(
    kakao: KakaoStandIn, database_url: str, trouble: dict[str, Any]
) -> None:
    """Down, over its limit, a wrong key, nonsense: FindPlaces answers all the same."""
    async with service(database_url, kakao_rest_key="test-key", kakao_url=kakao.base_url) as rules:
        for name, value in trouble.items():
            setattr(kakao, name, value)
        assert not (await rules.FindPlaces(request("유리병"))).places


async def test_a_slow_answer_is_not_waited_for(kakao: KakaoStandIn) -> None:
    """The user has our own places at once."""
    kakao.wait_for = asyncio.Event()
    async with places(kakao, timeout=0.05) as client, asyncio.timeout(2):
        assert await client.nearest(HERE, ["유리병"], 3000) == []
    kakao.wait_for.set()


async def test_neighbours_share_an_answer(kakao: KakaoStandIn) -> None:
    """Two people on one street, one call; each gets distances of their own."""
    async with places(kakao) as client:
        first = await client.nearest(HERE, ["유리병"], 3000)
        second = await client.nearest(Location(HERE.latitude + 0.001, HERE.longitude), ["유리병"], 2900)
    assert len(kakao.requests) == 1
    assert first[0].distance_meters < second[0].distance_meters


async def test_an_answer_goes_stale(kakao: KakaoStandIn) -> None:
    """Shops close."""
    clock = [0.0]
    async with places(kakao, cache=AnswerCache(None, 600, lambda: clock[0])) as client:
        for clock[0] in (0.0, 599.0, 601.0):
            await client.nearest(HERE, ["유리병"], 3000)
    assert len(kakao.requests) == 2


@pytest.mark.redis_shapes
async def test_replicas_share_answers_and_the_days_calls(kakao: KakaoStandIn, redis_url: str) -> None:
    """Two processes, one quota: the third call of the day isn't made."""
    dice = uuid4().int
    day, here = datetime(1000 + dice % 8000, 1, 1), Location(33.0 + dice % 10_000 / 2000, 127.0)
    kakao.shops["제로웨이스트샵"] = [replace(SHOP, latitude=here.latitude, longitude=here.longitude)]
    async with open_redis(redis_url) as shared:
        quotas = [DailyQuota(shared, 2, lambda: day) for _ in range(2)]
        assert [await quota.take() for quota in (quotas[0], quotas[1], quotas[0])] == [True, True, False]
        for _ in range(2):
            async with places(kakao, cache=AnswerCache(shared, 60)) as client:
                assert await client.nearest(here, ["유리병"], 3000)
    assert len(kakao.requests) == 1


async def test_without_redis_each_counts_and_remembers_alone(kakao: KakaoStandIn) -> None:
    """Redis may be lost at any moment; a place isn't lost with it."""
    async with open_redis("redis://127.0.0.1:1/0", timeout=0.1) as gone:
        quota, cache = DailyQuota(gone, 1, lambda: datetime.now(SEOUL)), AnswerCache(gone, 600)
        async with places(kakao, quota=quota, cache=cache) as client:
            for _ in range(2):
                assert len(await client.nearest(HERE, ["유리병"], 3000)) == 1
            assert await client.nearest(HERE, ["전지"], 3000) == []  # the day's call is spent
    assert len(kakao.requests) == 1


async def test_after_failures_in_a_row_it_is_left_alone(kakao: KakaoStandIn) -> None:
    """A service that is down must not cost every user a second; after the pause one call tries again."""
    clock = [0.0]
    kakao.status = 500
    async with places(kakao, breaker=ProviderBreaker(lambda: clock[0], failures=3, first_pause=30.0)) as client:
        for _ in range(5):
            assert await client.nearest(HERE, ["유리병"], 3000) == []
        assert len(kakao.requests) == 3
        clock[0], kakao.status = 31.0, 200
        assert len(await client.nearest(HERE, ["유리병"], 3000)) == 1


async def test_what_is_outside_the_radius_is_left_out(kakao: KakaoStandIn) -> None:
    """The square that is asked for is larger than what the user meant."""
    async with places(kakao) as client:
        assert await client.nearest(Location(HERE.latitude + 0.002, HERE.longitude), ["유리병"], 100) == []
