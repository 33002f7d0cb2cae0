"""What goes out this evening: on the scan itself, and of all recent scans, through the real edge and services."""

import uuid
from collections.abc import Mapping
from datetime import date, timedelta

import grpc
import pytest

from eco2.scan.v1.scan_service_pb2 import GetScanRequest, GetScheduleRequest, MarkPutOutRequest
from eco2.scan.v1.scan_service_pb2_grpc import ScanServiceStub
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from tests.e2e.conftest import Json, Phone, Sign

# 마포구 takes paper on these weekdays, Monday being 0.
PAPER_DAYS = {0, 1, 3, 6}
MAPO = "서울특별시/마포구"


async def schedule(phone: Phone, **query: str) -> Json:
    reply = await phone.http.get("/v1/me/schedule", params=query, headers=phone.headers)
    assert reply.status_code == 200, reply.text
    told: Json = reply.json()
    return told


def ids(told: Json, part: str) -> list[str]:
    return [one["scan_id"] for one in told.get(part, [])]


async def test_a_scan_names_its_evenings_until_it_is_put_out(sign_in: Sign, note_photo: bytes) -> None:
    """The card's dates and the schedule agree; other users see and change nothing."""
    phone, stranger = sign_in(), sign_in()
    scan = await phone.finished(await phone.started(note_photo, region="마포구"))
    scan_id = scan["scan_id"]
    followed = scan["rules"][0]
    days = [date.fromisoformat(one["date"]) for one in followed["evenings"]]
    assert {day.weekday() for day in days} == PAPER_DAYS
    assert followed["evenings"][0]["close_time"].endswith("T15:00:00Z"), "midnight in Korea"
    assert followed["evenings_as_of"] == "2026-07-03"
    assert (await phone.call("GET", f"/v1/scans/{scan_id}")).json()["rules"][0]["evenings"] == followed["evenings"]

    tonight = await schedule(phone, date=days[1].isoformat())
    assert (tonight["date"], ids(tonight, "tonight")) == (days[1].isoformat(), [scan_id])
    [planned] = tonight["tonight"]
    assert (planned["plan"]["date"], planned["plan"]["as_of"]) == (tonight["date"], "2026-07-03")
    assert planned["plan"]["rule"]["place"]
    wednesday = next(day for day in (days[0] + timedelta(days=ahead) for ahead in range(7)) if day.weekday() == 2)
    assert ids(await schedule(phone, date=wednesday.isoformat()), "later") == [scan_id]
    assert ids(await schedule(phone, region="유성구"), "unknown") == [scan_id]
    assert ids(await schedule(phone, region="\u202e아틀란티스 😀"), "unknown") == [scan_id]

    assert (await schedule(stranger, region=MAPO)).keys() == {"date"}
    assert (await stranger.call("POST", f"/v1/scans/{scan_id}:putOut", {})).status_code == 404
    assert ids(await schedule(phone, date=days[1].isoformat()), "tonight") == [scan_id]
    for _ in range(2):
        assert (await phone.call("POST", f"/v1/scans/{scan_id.upper()}:putOut", {})).json() == {}
    assert (await schedule(phone, date=days[1].isoformat())).keys() == {"date"}


async def test_a_deleted_scan_is_gone_from_the_evening(phone: Phone, note_photo: bytes) -> None:
    """And can't be put out any more."""
    scan_id = await phone.started(note_photo, region=MAPO)
    await phone.finished(scan_id)
    told = await schedule(phone)
    assert [*ids(told, "tonight"), *ids(told, "later")] == [scan_id]
    assert (await phone.call("DELETE", f"/v1/scans/{scan_id}")).status_code == 200
    assert (await schedule(phone)).keys() == {"date"}
    gone = await phone.call("POST", f"/v1/scans/{scan_id}:putOut", {})
    assert (gone.status_code, gone.json()["details"][0]["reason"]) == (404, Reason.SCAN_NOT_FOUND)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"date": "2026-02-30"}, "date"),
        ({"date": "tomorrow"}, "date"),
        ({"date": "1999-12-31"}, "date"),
        ({"region": "가" * 101}, "region"),
        ({"region": "서울\0"}, "region"),
        ({"locale": "x" * 101}, "locale"),
    ],
)
async def test_garbage_is_refused_with_its_field(phone: Phone, query: dict[str, str], field: str) -> None:
    """As REST."""
    reply = await phone.http.get("/v1/me/schedule", params=query, headers=phone.headers)
    assert reply.status_code == 400, reply.text
    violations = [one for detail in reply.json()["details"] for one in detail.get("field_violations", [])]
    assert [one["field"] for one in violations] == [field]


async def test_ids_that_are_none_and_calls_without_a_token_are_refused(phone: Phone) -> None:
    """Each for its own reason."""
    assert (await phone.call("POST", "/v1/scans/none:putOut", {})).status_code == 400
    assert (await phone.call("POST", f"/v1/scans/{uuid.uuid4()}:putOut", {})).status_code == 404
    for path in ("/v1/me/schedule", f"/v1/scans/{uuid.uuid4()}:putOut"):
        method = "GET" if path.endswith("schedule") else "POST"
        assert (await phone.http.request(method, path, json=None)).status_code == 401


async def test_the_same_over_grpc_through_the_edge(stack: Mapping[str, str], phone: Phone, note_photo: bytes) -> None:
    """The card, the evening and putting out, with a token as outside."""
    scan_id = await phone.started(note_photo, region=MAPO)
    await phone.finished(scan_id)
    metadata = [("authorization", phone.headers["Authorization"]), ("accept-language", "en")]
    async with grpc.aio.insecure_channel(stack["ECO2_GRPC_TARGET"]) as channel:
        stub = ScanServiceStub(channel)
        card = await stub.GetScan(GetScanRequest(scan_id=scan_id), metadata=metadata)
        evening = card.rules[0].evenings[0].date
        told = await stub.GetSchedule(GetScheduleRequest(date=evening), metadata=metadata)
        assert [one.scan_id for one in told.tonight] == [scan_id]
        assert told.tonight[0].plan.text.startswith("It can go out on the evening of ")
        await stub.MarkPutOut(MarkPutOutRequest(scan_id=scan_id), metadata=metadata)
        assert not (await stub.GetSchedule(GetScheduleRequest(date=evening), metadata=metadata)).tonight
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.MarkPutOut(MarkPutOutRequest(scan_id="none"), metadata=metadata)
        assert from_rpc_error(refused.value, "scan").reason is Reason.INVALID_FIELD
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetSchedule(GetScheduleRequest(date=evening))
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
