"""Scans of those who joined a building."""

import grpc
import pytest

from eco2.scan.v1.scan_service_pb2 import GetScheduleRequest, ListScansRequest
from mesh.errors import NotFound, Unavailable
from mesh.reasons import Reason
from tests.integration.scan.client import Client, reason
from tests.support.scan.peer_servicers import Peers

CODE = "K7PD2MTX"


async def unknown() -> None:
    raise NotFound(Reason.BUILDING_UNKNOWN, code=CODE)


async def away() -> None:
    raise Unavailable(Reason.UNAVAILABLE, peer="postgres")


async def test_a_building_goes_with_a_scan_to_the_rules_and_the_schedule(client: Client, peers: Peers) -> None:
    """Stored, shown, and asked about when the rules are matched, again after a reply, and for the evening."""
    scan_id = await client.started(building=CODE, region="종로구")
    scan = await client.finished(scan_id)
    assert (scan.building, scan.region) == (CODE, "종로구")
    assert (await client.stub.ListScans(ListScansRequest(), metadata=client.metadata)).scans[0].building == CODE
    await client.reply(scan_id, "투명해요")
    await client.stub.GetSchedule(GetScheduleRequest(), metadata=client.metadata)
    assert peers.buildings == [CODE, CODE, CODE]
    await client.stub.GetSchedule(GetScheduleRequest(region="마포구"), metadata=client.metadata)
    await client.stub.GetSchedule(GetScheduleRequest(building="00000000"), metadata=client.metadata)
    assert peers.buildings[3:] == ["", "00000000"]


async def test_a_code_that_no_building_has_is_refused_at_creation(client: Client, peers: Peers) -> None:
    """With its reason; nothing is stored."""
    peers.before["GetBuilding"] = unknown
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.create(building=CODE)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.NOT_FOUND, Reason.BUILDING_UNKNOWN)
    assert not (await client.stub.ListScans(ListScansRequest(), metadata=client.metadata)).scans
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.create(building="no code")
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)
    assert (await client.create()).scan.scan_id


async def test_a_repeated_request_finds_its_scan_whatever_became_of_the_building(client: Client, peers: Peers) -> None:
    """The building was there when the scan was made."""
    first = await client.create(building=CODE, request_id="one")
    peers.before["GetBuilding"] = unknown
    assert (await client.create(building=CODE, request_id="one")).scan.scan_id == first.scan.scan_id


async def test_a_building_that_cant_be_asked_for_costs_nobody_a_scan(client: Client, peers: Peers) -> None:
    """The rules say later what they could find out."""
    peers.before["GetBuilding"] = away
    scan = await client.finished(await client.started(building=CODE))
    assert (scan.building, peers.buildings) == (CODE, [CODE])
