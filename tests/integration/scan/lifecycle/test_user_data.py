"""A user's data that becomes another one's, or goes: as Auth asks for it, over the wire."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import asyncpg
import grpc
import pytest
import redis.asyncio

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from scan_svc.ownership import Ownership
from tests.integration.scan.client import Client, StartScanService, reason, rest
from tests.support.http import http_client
from tests.support.scan.peer_servicers import Peers

HOOK = "https://hooks.example.com/eco2"


@pytest.fixture
async def connection(database_url: str) -> Any:
    """The test's own look into the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def another(client: Client) -> Client:
    """Another user of the same service."""
    twin = object.__new__(Client)
    twin.__dict__.update(client.__dict__, metadata=((USER_HEADER, f"user-{uuid.uuid4().hex}"),))
    return twin


def user_of(client: Client) -> str:
    return dict(client.metadata)[USER_HEADER]


async def transfer(guest: Client, owner: Client) -> None:
    request = scan_service_pb2.TransferScansRequest(from_user_id=user_of(guest), to_user_id=user_of(owner))
    assert (await guest.stub.TransferScans(request)).done


async def erase(client: Client) -> None:
    assert (await client.stub.EraseScans(scan_service_pb2.EraseScansRequest(user_id=user_of(client)))).done


async def history(client: Client) -> list[str]:
    listed = await client.stub.ListScans(scan_service_pb2.ListScansRequest(), metadata=client.metadata)
    return [scan.scan_id for scan in listed.scans]


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason(refused.value)


async def rows_of(connection: asyncpg.Connection, user: str) -> Counter[str]:
    """How many rows name a user, by table: whichever has such a column."""
    columns = await connection.fetch(
        "select table_name, column_name from information_schema.columns c join information_schema.tables t"
        " using (table_schema, table_name) where table_schema = 'scan' and t.table_type = 'BASE TABLE'"
        " and column_name in ('user_id', 'from_user', 'to_user')"
    )
    counts = Counter[str]()
    for table, column in columns:
        counts[table] += await connection.fetchval(f"select count(*) from scan.{table} where {column} = $1", user)
    return counts


async def test_finished_scans_answer_their_new_owner_alone(client: Client) -> None:
    """By every way of reading, from Redis as from PostgreSQL; and doing it again changes nothing."""
    guest, owner = client, another(client)
    scan_id = await guest.started()
    before = await guest.finished(scan_id)
    earlier = await owner.started()
    await owner.finished(earlier)
    for _ in range(2):
        await transfer(guest, owner)
        assert (await owner.get(scan_id)).answer == before.answer
        assert (await owner.finished(scan_id)).scan_id == scan_id
        assert await history(owner) == [earlier, scan_id]
        assert await history(guest) == []
        for read in (guest.get, guest.finished, guest.cancel, guest.delete):
            assert await refusal(read(scan_id)) == Reason.SCAN_NOT_FOUND
    assert await refusal(another(client).get(scan_id)) == Reason.SCAN_NOT_FOUND
    await owner.delete(scan_id)
    assert await history(owner) == [earlier]


async def test_a_scan_in_flight_runs_on_and_answers_its_new_owner(client: Client, peers: Peers) -> None:
    """What is being paid for isn't paid again; it is watched to its end by who owns it now, and read ever after."""
    guest, owner, reached, go = client, another(client), asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        reached.set()
        await go.wait()

    peers.before["Classify"] = hold
    scan_id = await guest.started()
    await reached.wait()
    assert (await guest.get(scan_id)).state == scan_pb2.Scan.STATE_RUNNING
    await transfer(guest, owner)
    assert (await owner.get(scan_id)).state == scan_pb2.Scan.STATE_RUNNING
    assert await refusal(guest.get(scan_id)) == Reason.SCAN_NOT_FOUND
    watching = owner.watch(scan_id)
    await watching.read()
    go.set()
    last = (await rest(watching))[-1]
    assert last.scan.state == scan_pb2.Scan.STATE_SUCCEEDED
    assert (await owner.get(scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
    assert await refusal(guest.get(scan_id)) == Reason.SCAN_NOT_FOUND
    assert peers.calls["Classify"] == 1


async def test_another_process_lets_the_new_owner_read_at_once(start_scan_service: StartScanService) -> None:
    """It wasn't told; what Redis shows still names the guest."""
    async with start_scan_service() as guest, start_scan_service() as elsewhere:
        owner = another(elsewhere)
        scan_id = await guest.started()
        await guest.finished(scan_id)
        as_guest = another(elsewhere)
        as_guest.metadata = guest.metadata
        assert (await as_guest.get(scan_id)).scan_id == scan_id  # in the process' own memory from now on
        await transfer(guest, owner)
        assert (await owner.get(scan_id)).scan_id == scan_id
        assert await refusal(as_guest.get(scan_id)) == Reason.SCAN_NOT_FOUND


async def test_what_both_have_doesnt_clash(client: Client, connection: asyncpg.Connection) -> None:
    """The same request_id, and the same address to be told at: the owner's own stay. Labels and costs come along."""
    guest, owner = client, another(client)
    own = await owner.create(request_id="again", callback_url=HOOK)
    given = await guest.create(request_id="again", callback_url=HOOK)
    alone = await guest.create(request_id="alone", callback_url="https://only.example.com/eco2")
    await guest.delete((await guest.create()).scan.scan_id)
    await connection.execute("insert into scan.reply_cost (user_id, micro_usd) values ($1, 5)", user_of(guest))
    await connection.execute(
        "insert into scan.label (scan_id, user_id, photo_digest, seen, provider, model, verdict)"
        " values ($1, $2, '', '', '', '', 'CONFIRMED')",
        given.scan.scan_id, user_of(guest),
    )  # fmt: skip
    await transfer(guest, owner)
    assert (await owner.create(request_id="again", callback_url=HOOK)).scan.scan_id == own.scan.scan_id
    assert (
        await owner.create(request_id="alone", callback_url="https://only.example.com/eco2")
    ).scan.scan_id == alone.scan.scan_id
    secrets: dict[str, str] = dict(await connection.fetch("select url, secret from scan.webhook_endpoint"))
    assert secrets == {HOOK: own.webhook_secret, "https://only.example.com/eco2": alone.webhook_secret}
    left = await rows_of(connection, user_of(guest))
    assert {table: count for table, count in left.items() if count} == {"moved_user": 1}
    owned = await rows_of(connection, user_of(owner))
    assert [owned[table] for table in ("scan", "label", "tombstone", "reply_cost", "webhook_endpoint")] == [
        3,
        1,
        1,
        1,
        2,
    ]


async def test_a_scan_that_is_being_changed_follows_later(
    start_scan_service: StartScanService, connection: asyncpg.Connection, database_url: str
) -> None:
    """A transfer waits for nobody: it says that something is left, and the next call finds it."""
    async with start_scan_service() as guest, asyncpg.create_pool(database_url, min_size=1) as pool:
        owner, ownership = another(guest), Ownership(pool, batch=2)
        ids = [(await guest.create()).scan.scan_id for _ in range(5)]
        async with connection.transaction():
            await connection.execute("select from scan.scan where id = $1 for update", ids[1])
            assert not await ownership.transfer(user_of(guest), user_of(owner))
            assert await history(guest) == [ids[1]]
        assert await ownership.transfer(user_of(guest), user_of(owner))
        assert await history(owner) == ids[::-1]


@pytest.mark.parametrize("state", ["awaiting", "running", "finished"])
async def test_what_is_erased_is_nowhere(
    client: Client, connection: asyncpg.Connection, redis_url: str, peers: Peers, state: str
) -> None:
    """Neither in a table nor in storage; in Redis nothing but that the scan is gone. Others' is as it was."""
    if state == "running":
        peers.before["Classify"] = asyncio.Event().wait
    stranger = another(client)
    kept = await stranger.create(callback_url=HOOK)
    created = await client.create(callback_url=HOOK)
    (await client.put(created.upload)).raise_for_status()
    scan_id = created.scan.scan_id
    if state != "awaiting":
        await client.start(scan_id)
    if state == "finished":
        await client.finished(scan_id)
        await client.reply(scan_id, "틀렸어요", may_learn=True)
    await client.delete((await client.create()).scan.scan_id)  # leaves what it has cost
    before = await rows_of(connection, user_of(client))
    assert before["scan"] == before["webhook_endpoint"] == before["tombstone"] == 1
    for _ in range(2):
        await erase(client)
        assert set((await rows_of(connection, user_of(client))).values()) == {0}
    assert await refusal(client.get(scan_id)) == Reason.SCAN_NOT_FOUND
    assert await history(client) == []
    async with http_client() as http:
        assert (await http.get(created.image_url)).status_code in (403, 404)
    assert (await stranger.get(kept.scan.scan_id)).scan_id == kept.scan.scan_id
    assert (await rows_of(connection, user_of(stranger)))["webhook_endpoint"] == 1
    assert await cached(redis_url, scan_id) == {f"job:{scan_id}:progress": 10}


async def cached(redis_url: str, scan_id: str) -> dict[str, int]:
    """The keys in Redis that name a scan, with the length of what they hold."""
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        return {key: len(await client.get(key)) async for key in client.scan_iter(f"*{scan_id}*", count=1000)}


async def test_a_deleted_scan_leaves_neither_address_nor_secret(
    client: Client, connection: asyncpg.Connection, redis_url: str
) -> None:
    """The last scan of an endpoint takes it along, and what Redis still says of it is a number, for minutes."""
    first, second = [(await client.create(callback_url=HOOK)).scan.scan_id for _ in range(2)]
    endpoints = "select url from scan.webhook_endpoint"
    await client.delete(first)
    assert await connection.fetchval(endpoints) == HOOK
    await client.delete(second)
    assert await connection.fetchval(endpoints) is None
    assert await cached(redis_url, second) == {f"job:{second}:progress": 10}
    async with redis.asyncio.Redis.from_url(redis_url) as looking:
        assert 0 < await looking.ttl(f"job:{second}:progress") <= 300
    again = await client.create(callback_url=HOOK)
    assert again.webhook_secret == await connection.fetchval("select secret from scan.webhook_endpoint")


async def test_an_endpoint_that_is_wanted_at_the_moment_it_goes_is_there(
    client: Client, connection: asyncpg.Connection
) -> None:
    """However creations and deletions meet, a scan that is to be told about has its endpoint and the secret it told."""
    scan_ids: list[str] = []
    for _ in range(10):
        deletions = asyncio.gather(*map(client.delete, scan_ids))
        made, *_ = await asyncio.gather(*(client.create(callback_url=HOOK) for _ in range(3)))
        await deletions
        scan_ids = [str(row["id"]) for row in await connection.fetch("select id from scan.scan")]
        assert made.webhook_secret == await connection.fetchval("select secret from scan.webhook_endpoint")
