"""CreateScan and StartScan: duplicates, stolen moments, addresses that are not for us."""

import asyncio
import uuid
from typing import Any, cast

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import CreateScanRequest, ListScansRequest
from mesh.postgres import Pool, open_pool
from mesh.reasons import Reason
from scan_svc.scans import NewScan, Photo, ScanRequest
from scan_svc.store import ScanStore
from tests.integration.scan.client import PHOTO, Client, StartScanService, info_of, reason, status
from tests.support.scan.peer_servicers import Peers


async def test_fifty_duplicates_make_one_scan(client: Client) -> None:
    """Phones repeat a request when the answer is lost."""
    request_id = uuid.uuid4().hex
    created = await asyncio.gather(*(client.create(request_id=request_id) for _ in range(50)))
    assert len({one.scan.scan_id for one in created}) == 1
    assert all(one.upload.url for one in created)
    page = await client.stub.ListScans(ListScansRequest(), metadata=client.metadata)
    assert len(page.scans) == 1


async def test_replicas_that_store_the_same_requests_in_opposite_order_agree(
    start_scan_service: StartScanService,
) -> None:
    """Scans created at the same time share a transaction; two of those must not wait for each other."""
    request_ids = [uuid.uuid4().hex for _ in range(100)]
    async with (
        start_scan_service("user", scan_role="api") as one,
        start_scan_service("user", scan_role="api") as other,
    ):
        ones, others = await asyncio.gather(
            asyncio.gather(*(one.create(request_id=request_id) for request_id in request_ids)),
            asyncio.gather(*(other.create(request_id=request_id) for request_id in reversed(request_ids))),
        )
    assert [scan.scan.scan_id for scan in ones] == [scan.scan.scan_id for scan in reversed(others)]


def new_scan(request_id: str, user_input: str = "") -> NewScan:
    url = "https://example.com/a.jpg"
    asked = ScanRequest(user_id="user", request_id=request_id, photo=url, user_input=user_input)
    return NewScan(str(uuid.uuid4()), Photo(url), asked)


async def test_a_scan_that_cant_be_stored_fails_alone(database_url: str) -> None:
    """Those that share its transaction are other people's."""
    async with open_pool(database_url) as pool:
        store = ScanStore(pool)
        texts = [*"abcdefg", "\0"]
        made = await asyncio.gather(
            *(store.create(new_scan(uuid.uuid4().hex, text), "") for text in texts), return_exceptions=True
        )
    assert [isinstance(one, BaseException) for one in made] == [text == "\0" for text in texts]


class DeletingPool:
    """Connections of somebody whose scan is deleted when they look for it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        await self._pool.execute("delete from scan.job")
        await self._pool.execute("delete from scan.scan")
        return await self._pool.fetchrow(query, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


async def test_a_request_whose_scan_is_deleted_at_that_moment_makes_another(database_url: str) -> None:
    """There is none to return, and nothing that its id would be in use for."""
    async with open_pool(database_url) as pool:
        await ScanStore(pool).create(new_scan("same"), "")
        again = new_scan("same")
        scan, is_new = await ScanStore(cast("Pool", DeletingPool(pool))).create(again, "")
    assert (scan.scan_id, is_new) == (again.scan_id, True)


async def test_a_request_id_with_another_content_is_refused(client: Client) -> None:
    """Silently returning the first scan would answer the wrong photo."""
    request_id = uuid.uuid4().hex
    await client.create(request_id=request_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.create(PHOTO + b"!", request_id=request_id)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.ALREADY_EXISTS, Reason.REQUEST_ID_REUSED)


async def test_starting_twice_is_harmless_and_starting_without_a_photo_is_told(client: Client, peers: Peers) -> None:
    """The client can't know whether its first start arrived."""
    created = await client.create()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.start(created.scan.scan_id)
    told = info_of(status(caught.value))
    assert (told.reason, dict(told.metadata)) == (Reason.PHOTO_NOT_UPLOADED, {"scan_id": created.scan.scan_id})
    (await client.put(created.upload)).raise_for_status()
    await asyncio.gather(*(client.start(created.scan.scan_id) for _ in range(10)))
    await client.finished(created.scan.scan_id)
    assert (await client.start(created.scan.scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
    assert peers.calls["Classify"] == 1


async def test_inner_addresses_are_refused_at_creation(client: Client) -> None:
    """A photo's address must not reach into our own network."""
    for url in ("http://example.com/a.jpg", "https://169.254.169.254/latest", "https://localhost/a.jpg"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.stub.CreateScan(CreateScanRequest(image_url=url), metadata=client.metadata)
        assert reason(caught.value) == Reason.ADDRESS_REFUSED


async def test_a_photo_of_our_own_cdn_is_scanned_at_once(client: Client) -> None:
    """The older clients upload first and then name the CDN's address."""
    earlier = await client.create()
    (await client.put(earlier.upload)).raise_for_status()
    request = CreateScanRequest(image_url=earlier.image_url)
    created = await client.stub.CreateScan(request, metadata=client.metadata)
    assert not created.HasField("upload")
    assert (await client.finished(created.scan.scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
