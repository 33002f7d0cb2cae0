"""What of a user's recent scans can be put out this evening."""

from typing import Any

import asyncpg
import grpc
import pytest

from eco2.scan.v1.scan_service_pb2 import GetScheduleRequest, GetScheduleResponse, MarkPutOutRequest
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from tests.integration.scan.client import Client, StartScanService, reason
from tests.support.scan.peer_servicers import Peers


async def scanned(client: Client, **fields: Any) -> str:
    """A scan that has succeeded."""
    scan_id = await client.started(**fields)
    await client.finished(scan_id)
    return scan_id


async def schedule(client: Client, **fields: Any) -> GetScheduleResponse:
    return await client.stub.GetSchedule(GetScheduleRequest(**fields), metadata=client.metadata)


async def put_out(client: Client, scan_id: str) -> None:
    await client.stub.MarkPutOut(MarkPutOutRequest(scan_id=scan_id), metadata=client.metadata)


async def test_each_scan_stands_where_its_region_puts_it(client: Client, peers: Peers) -> None:
    """By its own region, newest first; what isn't known apart; what didn't succeed nowhere."""
    first = await scanned(client, region="마포구")
    later, unknown = await scanned(client, region="종로구"), await scanned(client)
    second = await scanned(client, region="마포구")
    await client.create(region="마포구")  # its photo never comes
    told = await schedule(client, date="2026-12-07")
    assert told.date == "2026-12-07"
    assert [one.scan_id for one in told.tonight] == [second, first]
    assert [(one.scan_id, one.plan.date) for one in told.later] == [(later, "2026-12-10")]
    assert [one.scan_id for one in told.unknown] == [unknown]
    assert (told.tonight[0].display_name, told.tonight[0].plan.rule.container) == ("금속류", "캔 수거함")
    assert peers.calls["PlanEvening"] == 1


async def test_a_region_of_ones_own_replaces_those_of_the_scans(client: Client) -> None:
    """Who scans at work puts out at home."""
    scan_id = await scanned(client, region="종로구")
    told = await schedule(client, region="마포구")
    assert [one.scan_id for one in told.tonight] == [scan_id]


async def test_what_was_put_out_is_left_out_from_then_on(client: Client) -> None:
    """However often it is said, and only by its user."""
    scan_id, other = await scanned(client, region="마포구"), await scanned(client, region="마포구")
    await put_out(client, scan_id.upper())
    await put_out(client, scan_id)
    assert [one.scan_id for one in (await schedule(client)).tonight] == [other]
    stranger = Client(client.target, grpc.aio.insecure_channel(client.target), "stranger")
    stranger.metadata = ((USER_HEADER, "stranger"),)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await put_out(stranger, other)
    assert reason(caught.value) == Reason.SCAN_NOT_FOUND
    assert not (await schedule(stranger)).tonight
    await client.delete(scan_id)


async def test_what_is_older_than_two_weeks_is_left_out(client: Client, database_url: str) -> None:
    """It is long gone, told or not."""
    await scanned(client, region="마포구")
    connection = await asyncpg.connect(database_url)
    try:
        old = "set id = overlay(id::text placing '018bcfe5-68' from 1 for 11)::uuid"  # November 2023
        await connection.execute(f"update scan.scan {old}")
    finally:
        await connection.close()
    assert not (await schedule(client)).tonight


async def test_a_day_that_does_not_exist_is_refused(client: Client) -> None:
    """With the field's name, before anybody is asked."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await schedule(client, date="2026-02-30")
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)


async def test_without_the_rule_book_there_is_no_schedule(start_scan_service: StartScanService) -> None:
    """An empty evening would be a lie."""
    async with start_scan_service(rules_target="127.0.0.1:1") as client:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.stub.GetSchedule(GetScheduleRequest(), metadata=client.metadata, timeout=3)
        assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
