"""CancelScan and DeleteScan at every moment of a scan."""

import asyncio

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from mesh.reasons import Reason
from tests.integration.scan.client import Client, reason, rest
from tests.support.http import http_client
from tests.support.scan.peer_servicers import Peers


async def test_cancelling_a_running_scan_cancels_the_peers_call(client: Client, peers: Peers) -> None:
    """A model call that nobody waits for still costs."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["Classify"] = hang
    scan_id = await client.started()
    await reached.wait()
    assert (await client.cancel(scan_id)).state == scan_pb2.Scan.STATE_CANCELLED
    await peers.cancelled.wait()
    assert (await client.finished(scan_id)).state == scan_pb2.Scan.STATE_CANCELLED
    assert (await client.cancel(scan_id)).state == scan_pb2.Scan.STATE_CANCELLED


async def test_a_cancelled_upload_cannot_be_started(client: Client) -> None:
    """The state decides, not the order in which requests arrive."""
    created = await client.create()
    await client.cancel(created.scan.scan_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.start(created.scan.scan_id)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.FAILED_PRECONDITION, Reason.SCAN_STATE)


async def test_a_finished_scan_cannot_be_cancelled(client: Client) -> None:
    """Its answer is there, and its reward may be granted."""
    scan_id = await client.started()
    await client.finished(scan_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.cancel(scan_id)
    assert reason(caught.value) == Reason.SCAN_STATE


async def test_a_deleted_scan_leaves_neither_photo_nor_state(client: Client) -> None:
    """Deleting is a promise about the photo above all."""
    created = await client.create()
    (await client.put(created.upload)).raise_for_status()
    await client.start(created.scan.scan_id)
    await client.finished(created.scan.scan_id)
    await client.delete(created.scan.scan_id)
    for again in (client.get, client.delete):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await again(created.scan.scan_id)
        assert reason(caught.value) == Reason.SCAN_NOT_FOUND
    async with http_client() as http:
        assert (await http.get(created.image_url)).status_code == 404


async def test_deleting_ends_the_watch(client: Client, peers: Peers) -> None:
    """A watcher of nothing would wait for ever."""
    peers.before["Classify"] = asyncio.Event().wait
    scan_id = await client.started()
    watching = client.watch(scan_id)
    await watching.read()
    await client.delete(scan_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rest(watching)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
