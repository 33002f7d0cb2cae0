"""A user's calendar: its address, and what an app reads there."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import grpc
import pytest
from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream

from eco2.reminders.v1 import reminders_service_pb2 as pb
from eco2.reminders.v1 import reminders_service_pb2_grpc
from eco2.rules.v1 import rules_service_pb2
from eco2.scan.v1 import scan_service_pb2
from eco2.scan.v1.scan_service_pb2 import MarkPutOutRequest
from mesh.errors import NotFound, Unavailable
from mesh.grpc import entity_tags
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from scan_svc.reminders.ics import SEOUL
from tests.integration.scan.client import Client, reason
from tests.support.scan.peer_servicers import Peers

FOOD = rules_service_pb2.Collection(
    streams=["food"],
    display_name="음식물쓰레기",
    as_of="2026-05-01",
    evenings=[
        {"date": "2026-12-01", "open_time": {"seconds": int(datetime(2026, 12, 1, 11, tzinfo=UTC).timestamp())}},
        {"date": "2026-12-31"},
    ],
)


@pytest.fixture
async def stub(client: Client) -> Any:
    """RemindersService, beside the client's."""
    async with grpc.aio.insecure_channel(client.target) as channel:
        yield reminders_service_pb2_grpc.RemindersServiceStub(channel)


def another(client: Client) -> Client:
    """Another user of the same service."""
    twin = object.__new__(Client)
    twin.__dict__.update(client.__dict__, metadata=((USER_HEADER, f"user-{uuid.uuid4().hex}"),))
    return twin


async def address(stub: Any, client: Client, **fields: Any) -> str:
    """The key of a new address."""
    made = await stub.CreateCalendar(pb.CreateCalendarRequest(**fields), metadata=client.metadata)
    path, _, key = made.path.partition("?key=")
    assert path == "/v1/me/calendar.ics"
    return str(key)


async def fetched(stub: Any, key: str) -> Calendar:
    """What an app reads, without a token."""
    body = await stub.GetCalendar(pb.GetCalendarRequest(key=key))
    assert body.content_type == "text/calendar; charset=utf-8"
    return IcsCalendarStream.calendar_from_ics(body.data.decode("utf-8"))


async def refused(stub: Any, key: str) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetCalendar(pb.GetCalendarRequest(key=key))
    return str(reason(caught.value))


async def scanned(client: Client, **fields: Any) -> str:
    scan_id = await client.started(**fields)
    await client.finished(scan_id)
    return scan_id


async def test_what_was_scanned_stands_on_its_evening(client: Client, stub: Any) -> None:
    """One event for what goes out together; what was put out, or whose days aren't known, is in none."""
    away, _ = await scanned(client, region="마포구"), await scanned(client, region="마포구")
    await scanned(client, region="종로구")
    await scanned(client)
    key = await address(stub, client)
    before = await fetched(stub, key)
    assert sorted((event.dtstart, event.summary) for event in before.events) == [
        (date(2026, 12, 1), "내놓을 것: 금속류"),
        (date(2026, 12, 4), "내놓을 것: 금속류"),
    ]
    assert {event.description for event in before.events} == {"금속류: 캔 수거함"}
    assert all(event.alarm for event in before.events)
    await client.stub.MarkPutOut(MarkPutOutRequest(scan_id=away), metadata=client.metadata)
    after = await fetched(stub, key)
    assert {event.uid for event in after.events} == {event.uid for event in before.events}
    for scan_id in await history(client):
        await client.stub.MarkPutOut(MarkPutOutRequest(scan_id=scan_id), metadata=client.metadata)
    assert (await fetched(stub, key)).events == []


async def history(client: Client) -> list[str]:
    listed = await client.stub.ListScans(scan_service_pb2.ListScansRequest(), metadata=client.metadata)
    return [scan.scan_id for scan in listed.scans]


async def test_a_regions_days_stand_beside_them_without_alarm(client: Client, stub: Any, peers: Peers) -> None:
    """With their hours if they are known; in the calendar's language, whatever the app asks for."""
    peers.collections = [FOOD]
    calendar = await fetched(stub, await address(stub, client, region="마포구"))
    timed, whole = sorted(calendar.events, key=lambda event: str(event.dtstart))
    assert (timed.summary, timed.description, timed.location) == (
        *("배출일: 음식물쓰레기", "2026-05-01 자료예요.", "마포구"),
    )
    assert timed.dtstart == datetime(2026, 12, 1, 20, tzinfo=SEOUL)
    assert timed.dtend == datetime(2026, 12, 2, 5, tzinfo=SEOUL)
    assert (whole.dtstart, whole.dtend) == (date(2026, 12, 31), date(2027, 1, 1))
    assert not timed.alarm
    english = await fetched(stub, await address(stub, client, region="마포구", locale="en"))
    assert {event.summary for event in english.events} == {"Collected: 음식물쓰레기"}


async def test_a_new_address_ends_the_former_one(client: Client, stub: Any) -> None:
    """Whoever had it reads nothing any more; ending is final, and may be repeated."""
    first = await address(stub, client)
    second = await address(stub, client)
    assert await refused(stub, first) == Reason.CALENDAR_NOT_FOUND
    assert (await fetched(stub, second)).events == []
    for _ in range(2):
        await stub.DeleteCalendar(pb.DeleteCalendarRequest(), metadata=client.metadata)
    assert await refused(stub, second) == Reason.CALENDAR_NOT_FOUND


async def test_no_address_is_kept(client: Client, stub: Any, database_url: str) -> None:
    """Whoever reads the database, or a backup of it, can't read a calendar."""
    key = await address(stub, client)
    connection = await asyncpg.connect(database_url)
    try:
        row = await connection.fetchrow("select c::text as whole, digest from scan.calendar c")
    finally:
        await connection.close()
    assert row is not None
    assert key not in row["whole"]
    assert key.encode() not in row["digest"]
    assert len(row["digest"]) == 32


async def test_an_unchanged_calendar_comes_without_its_content(client: Client, stub: Any) -> None:
    """Apps ask every hour, of what changes twice a week."""
    await scanned(client, region="마포구")
    key = await address(stub, client)
    call = stub.GetCalendar(pb.GetCalendarRequest(key=key))
    headers = dict(await call.initial_metadata())
    assert (await call).data
    assert headers["cache-control"] == "private, no-cache"
    known = ((entity_tags.REQUEST_HEADER, headers["etag"]),)
    again = stub.GetCalendar(pb.GetCalendarRequest(key=key), metadata=known)
    assert dict(await again.initial_metadata())[entity_tags.NOT_MODIFIED_HEADER] == "1"
    assert (await again).data == b""
    for scan_id in await history(client):
        await client.stub.MarkPutOut(MarkPutOutRequest(scan_id=scan_id), metadata=client.metadata)
    assert (await stub.GetCalendar(pb.GetCalendarRequest(key=key), metadata=known)).data


async def test_while_the_rule_book_is_away_nothing_is_said(client: Client, stub: Any, peers: Peers) -> None:
    """An empty calendar would take the events from people's phones."""

    async def away() -> None:
        raise Unavailable(Reason.UNAVAILABLE, peer="rules")

    key = await address(stub, client, region="마포구")
    peers.before["ListCollections"] = away
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetCalendar(pb.GetCalendarRequest(key=key))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_a_building_that_is_none_is_refused(client: Client, stub: Any, peers: Peers) -> None:
    """Before there is a calendar; one that is, is asked for by its code."""

    async def unknown() -> None:
        raise NotFound(Reason.BUILDING_UNKNOWN, code="K7PD2MTX")

    peers.before["GetBuilding"] = unknown
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await address(stub, client, building="K7PD-2MTX")
    assert reason(caught.value) == Reason.BUILDING_UNKNOWN
    del peers.before["GetBuilding"]
    await fetched(stub, await address(stub, client, building="K7PD-2MTX"))
    assert peers.buildings[-1] == "K7PD-2MTX"


@pytest.mark.parametrize("key", ["", "k" * 42, "k" * 44, "../" + "k" * 40, "키" * 43])
async def test_what_can_be_no_key_is_refused(client: Client, stub: Any, key: str) -> None:
    """Without asking the database."""
    assert await refused(stub, key) == Reason.INVALID_FIELD


async def test_a_guests_calendar_follows_them(client: Client, stub: Any) -> None:
    """It tells the new owner's scans; of two calendars the owner's own stays."""
    guest, owner, other = client, another(client), another(client)
    key = await address(stub, guest)
    await move(guest, owner)
    await scanned(owner, region="마포구")
    assert len((await fetched(stub, key)).events) == 1
    second = await address(stub, other)
    await move(owner, other)
    assert await refused(stub, key) == Reason.CALENDAR_NOT_FOUND
    assert len((await fetched(stub, second)).events) == 1


async def move(guest: Client, owner: Client) -> None:
    users = [dict(one.metadata)[USER_HEADER] for one in (guest, owner)]
    request = scan_service_pb2.TransferScansRequest(from_user_id=users[0], to_user_id=users[1])
    for _ in range(2):
        assert (await guest.stub.TransferScans(request)).done


async def test_who_is_gone_has_no_calendar(client: Client, stub: Any) -> None:
    """It goes with the account, scans or none."""
    key = await address(stub, client)
    user = dict(client.metadata)[USER_HEADER]
    assert (await client.stub.EraseScans(scan_service_pb2.EraseScansRequest(user_id=user))).done
    assert await refused(stub, key) == Reason.CALENDAR_NOT_FOUND
