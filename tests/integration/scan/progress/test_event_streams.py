"""Server-Sent Events: what a browser reads."""

import json

import grpc
import pytest

from tests.integration.scan.client import Client, StartScanService, events_of
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually

pytestmark = pytest.mark.redis_shapes


async def test_server_sent_events_have_ids_names_and_comments(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """What EventSource is made for: it resumes by the last id, and wakes the listener of the right name."""
    gate = peers.before["MatchRules"] = Gate()
    async with start_scan_service(heartbeat_seconds=0.05) as client:
        scan_id = await client.started()
        await gate.held(1)

        async def told() -> bool:  # a moment after the stage has begun; then nothing changes until the gate opens
            return (await client.get(scan_id)).progress.stage == "rules"

        await eventually(told)
        stream = events_of(client, scan_id)
        assert await anext(stream) == {"retry": "1000"}
        snapshot = await anext(stream)
        assert snapshot["event"] == "snapshot"
        shown = json.loads(snapshot["data"])
        assert (shown["type"], str(shown["scan"]["version"])) == ("TYPE_SNAPSHOT", snapshot["id"])
        assert await anext(stream) == {"": ": heartbeat"}
        await stream.aclose()
        resumed = events_of(client, scan_id, last_event=snapshot["id"])
        assert [await anext(resumed), await anext(resumed)] == [{"retry": "1000"}, {"": ": heartbeat"}]
        gate.open()
        after = [event async for event in resumed if "id" in event]
        assert {event["event"] for event in after[:-1]} <= {"update"}
        assert after[-1]["event"] == "terminal"
        ids = [int(event["id"]) for event in after]
        assert ids == sorted(set(ids))
        assert ids[0] > int(snapshot["id"])
        again = [event async for event in events_of(client, scan_id, last_event=after[-1]["id"]) if "id" in event]
        assert [event["event"] for event in again] == ["terminal"]


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "99999999999", "9" * 5000, "²"])
async def test_a_last_event_that_is_not_ours_is_ignored(client: Client, nonsense: str) -> None:
    scan_id = (await client.create()).scan.scan_id
    if nonsense.isascii():
        stream = events_of(client, scan_id, last_event=nonsense)
        await anext(stream)
        assert (await anext(stream))["event"] == "snapshot"
        await stream.aclose()


async def test_a_ticket_opens_the_watch_of_its_scan_alone(client: Client) -> None:
    """The edge says which scan it is for; of the same user's others nothing is told."""
    own, another = [(await client.create()).scan.scan_id for _ in range(2)]
    opened = events_of(client, own, ticket_for=own)
    assert [(await anext(opened)).get("retry"), (await anext(opened))["event"]] == ["1000", "snapshot"]
    await opened.aclose()
    in_capitals = events_of(client, own.upper(), ticket_for=own)
    assert await anext(in_capitals)
    await in_capitals.aclose()
    for ticket_for in (another, own.upper(), " "):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await anext(events_of(client, own, ticket_for=ticket_for))
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
