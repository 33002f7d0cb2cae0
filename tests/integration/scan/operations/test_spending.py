"""What models cost today, told to whoever counts and has lost count."""

import asyncio

from eco2.scan.v1 import scan_pb2
from mesh.errors import FailedPrecondition, Unavailable
from mesh.reasons import Reason
from tests.integration.scan.client import Client, StartScanService
from tests.support.scan.peer_servicers import Peers

COST = 420
USAGE = {"model": "gpt", "input_tokens": 100, "output_tokens": 10, "cost_micro_usd": COST, "calls": 1}


def losing_count(peers: Peers) -> None:
    """From now on the peers don't know what was spent, unless they are told with the call."""

    async def demand_figures() -> None:
        if peers.told[-1] == "ask":
            raise Unavailable(Reason.MODEL_SPENT_UNKNOWN, model="gpt")

    peers.told.clear()
    peers.before = {"Classify": demand_figures, "ComposeAnswer": demand_figures}


async def test_a_lost_count_is_made_up_from_the_books(
    start_scan_service: StartScanService, client: Client, peers: Peers
) -> None:
    """Finished, deleted and failed scans count, and replies; nobody is asked twice, and no step is repeated."""
    peers.usage, peers.asks = USAGE, ("투명한 병인가요?",)
    async with start_scan_service(scan_role="api") as other:
        for user in (client, other):
            await user.finished(await user.started())
        deleted = await client.finished(await client.started())
        await client.reply(deleted.scan_id, "투명")
        await client.delete(deleted.scan_id)

        async def refuse() -> None:
            raise FailedPrecondition(Reason.SCAN_STATE, cost_micro_usd=7, calls=1)

        peers.before["ComposeAnswer"] = refuse
        assert (await client.finished(await client.started())).state == scan_pb2.Scan.STATE_FAILED
        losing_count(peers)
        scan_id = await client.started()
        percents = [event.scan.progress.percent async for event in client.watch(scan_id) if event.HasField("scan")]
    spent = 2 * COST + 3 * COST + COST + 7
    assert peers.told[:2] == ["ask", f"{spent + 2 * COST}/{spent}"]
    assert peers.told[2].endswith(f"/{spent + COST}")
    assert percents == sorted(percents)
    assert (await client.get(scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_nothing_is_added_up_for_who_has_the_count(client: Client, peers: Peers) -> None:
    """The usual path costs no query."""
    await asyncio.gather(*[client.finished(await client.started()) for _ in range(3)])
    assert set(peers.told) == {"ask"}
