"""Tasks of older clients: a photo's address, progress as events, and word of the end."""

from contextlib import aclosing

import grpc
import pytest

from mesh.postgres import open_pool
from mesh.reasons import Reason
from tests.integration.scan.client import Client, StartScanService, photo, reason
from tests.integration.scan.compat.older_client import older
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers

WAITS = '{"step":"rules","status":"processing","progress":60}'


async def test_a_tasks_progress_is_told_once_a_change_with_heartbeats_and_an_end(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """In silence only comments; whatever changes in a scan that an older client has no word for says nothing."""
    gate = peers.before["MatchRules"] = Gate()
    async with start_scan_service(heartbeat_seconds=0.05) as client, older(client) as app:
        task_id = await app.task(image_url=await photo(client), user_input="캔이에요")
        assert (await client.get(task_id)).user_input == "캔이에요"
        async with aclosing(app.frames(task_id)) as frames:
            seen = [await anext(frames)]
            assert seen[0].startswith("data: ")
            while seen[-1] != ": heartbeat" or f"data: {WAITS}" not in seen:
                seen.append(await anext(frames))
            gate.open()
            seen += [frame async for frame in frames]
    told = [frame for frame in seen if frame != ": heartbeat"]
    assert len(told) == len(set(told))
    assert told[-1] == 'data: {"step":"done","status":"completed","progress":100}'


async def test_only_the_end_of_a_task_is_told_in_the_older_shape(client: Client, database_url: str) -> None:
    """A scan remembers by which path it was made, for as long as its webhook may be sent."""
    callback = "https://hook.example/eco2"
    async with older(client) as app:
        address = await photo(client)
        task_id = await app.task(image_url=address, callback_url=callback)
        scan_id = (await client.create(callback_url=callback)).scan.scan_id
    async with open_pool(database_url) as pool:
        rows = await pool.fetch("select id, webhook_shape from scan.scan where callback_url = $1", callback)
    assert {str(row["id"]): row["webhook_shape"] for row in rows} == {task_id: "TASK", scan_id: "SCAN"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Reason.INVALID_FIELD),
        ({"image_url": "a.jpg"}, Reason.INVALID_FIELD),
        ({"image_url": "http://example.com/a.jpg"}, Reason.ADDRESS_REFUSED),
        ({"image_url": "https://example.com/a.jpg", "callback_url": "https://10.0.0.1/"}, Reason.ADDRESS_REFUSED),
        ({"image_url": "https://example.com/a.jpg", "user_input": "가" * 501}, Reason.INVALID_FIELD),
    ],
    ids=["nothing", "no address", "not https", "an inner callback", "too long"],
)
async def test_a_task_is_refused_for_what_a_scan_is(client: Client, fields: dict[str, str], expected: Reason) -> None:
    """No second gate."""
    async with older(client) as app:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await app.task(**fields)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.INVALID_ARGUMENT, expected)


async def test_a_full_house_refuses_jobs_and_tasks_too(start_scan_service: StartScanService) -> None:
    """One admission for all that makes scans."""
    async with start_scan_service(admission_always=1, scan_role="api") as client, older(client) as app:
        await app.task(image_url="https://example.com/1.jpg")
        for refused in (app.analyze(), app.task(image_url="https://example.com/1.jpg")):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await refused
            assert reason(caught.value) == Reason.SCAN_BACKLOG
