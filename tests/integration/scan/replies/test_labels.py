"""What replies say of classifications: numbers of everybody, labels of those who consent."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from eco2.scan.v1.scan_service_pb2 import GetAccuracyRequest
from eco2.vision.v1.classification_pb2 import Classification
from mesh.grpc.status import from_rpc_error
from mesh.postgres import Pool, open_pool
from mesh.reasons import Reason
from tests.integration.scan.client import Client, create
from tests.support.scan.peer_servicers import METAL, Peers

SEEN = Classification(category=METAL, display_name="금속류", confidence=0.9, provider="offline", model="lite2")


@pytest.fixture(autouse=True)
def seen(peers: Peers) -> None:
    """What every photo is taken for."""
    peers.found = SEEN


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Pool]:
    """The test's own look into the database."""
    async with open_pool(database_url) as pool:
        yield pool


async def scanned(client: Client, count: int = 1) -> list[str]:
    scan_ids = [await create(client, "https://example.com/1.jpg") for _ in range(count)]
    await asyncio.gather(*map(client.finished, scan_ids))
    return scan_ids


async def counted(database: Pool) -> tuple[int, int, int]:
    """Answered, corrected, confirmed; of all classes together."""
    row = await database.fetchrow(
        "select coalesce(sum(answered), 0)::int, coalesce(sum(corrected), 0)::int, coalesce(sum(confirmed), 0)::int"
        " from scan.accuracy"
    )
    return tuple(row)


async def test_a_correction_is_kept_as_a_label_with_consent(client: Client, database: Pool) -> None:
    """Which photo, what was seen and how surely, and what the user says that it is."""
    (scan_id,) = await scanned(client)
    await client.reply(scan_id, "투명", may_learn=True)
    label = dict(await database.fetchrow("select * from scan.label"))
    assert str(label.pop("scan_id")) == scan_id
    assert round(label.pop("confidence"), 3) == 0.9
    assert label.pop("at")
    assert label == {
        "user_id": client.metadata[0][1], "photo_digest": "d", "seen": "재활용폐기물/금속류", "provider": "offline",
        "model": "lite2", "verdict": "CORRECTED", "said": "재활용폐기물/무색페트병",
    }  # fmt: skip
    assert await counted(database) == (1, 1, 0)


async def test_without_consent_only_numbers_are_kept(client: Client, database: Pool) -> None:
    """No photo and no user."""
    (scan_id,) = await scanned(client)
    await client.reply(scan_id, "투명")
    assert await database.fetchval("select count(*) from scan.label") == 0
    assert await counted(database) == (1, 1, 0)
    columns = await database.fetch(
        "select column_name from information_schema.columns where table_schema = 'scan' and table_name = 'accuracy'"
    )
    assert not {"scan_id", "user_id", "photo_digest"} & {row["column_name"] for row in columns}


async def test_the_last_thing_a_user_says_of_a_scan_counts(client: Client, peers: Peers, database: Pool) -> None:
    """Once a scan, however often they change their mind; what a label said before is no truth any more."""
    (scan_id,) = await scanned(client)
    version = (await client.get(scan_id)).version
    confirmed = await client.reply(scan_id, "맞아요", may_learn=True)
    assert (confirmed.understood, confirmed.scan.version) == (True, version)
    assert peers.calls["ComposeAnswer"] == 1  # nothing was made anew
    assert await counted(database) == (1, 0, 1)
    assert await database.fetchval("select verdict from scan.label") == "CONFIRMED"
    await client.reply(scan_id, "틀렸어요")
    assert await counted(database) == (1, 1, 0)
    assert await database.fetchval("select count(*) from scan.label") == 0
    await client.reply(scan_id, "투명", may_learn=True)
    assert await counted(database) == (1, 1, 0)
    assert await database.fetchval("select seen from scan.label") == "재활용폐기물/금속류"


async def test_a_repeated_reply_counts_once(client: Client, database: Pool) -> None:
    """The phone lost the response."""
    (scan_id,) = await scanned(client)
    for _ in range(2):
        await client.reply(scan_id, "투명", "one", may_learn=True)
    assert await counted(database) == (1, 1, 0)


async def test_a_reply_about_something_else_says_nothing_of_the_classification(client: Client, database: Pool) -> None:
    """Only what concerns the photo is counted."""
    (scan_id,) = await scanned(client)
    await client.reply(scan_id, "글쎄요", may_learn=True)
    assert await counted(database) == (1, 0, 0)


async def test_a_label_goes_with_its_scan(client: Client, database: Pool) -> None:
    """The numbers, which are nobody's, stay."""
    (scan_id,) = await scanned(client)
    await client.reply(scan_id, "투명", may_learn=True)
    await client.delete(scan_id)
    assert await database.fetchval("select count(*) from scan.label") == 0
    assert await counted(database) == (1, 1, 0)


async def test_accuracy_is_told_by_class_and_confidence(client: Client, peers: Peers) -> None:
    """Live; a number below five is nobody's business."""
    scan_ids = await scanned(client, 11)
    peers.found = Classification(category=METAL, confidence=0.42, provider="gpt", model="gpt-1")
    await scanned(client, 4)
    for scan_id in scan_ids[:5]:
        await client.reply(scan_id, "투명")
    for scan_id in scan_ids[5:9]:
        await client.reply(scan_id, "맞아요")
    (one,) = await client.accuracy()
    assert (one.provider, one.model, one.category) == ("offline", "lite2", METAL)
    assert (round(one.confidence_from, 1), round(one.confidence_to, 1)) == (0.9, 1.0)
    assert (one.answered, one.corrected, one.HasField("confirmed")) == (11, 5, False)
    assert await client.accuracy("offline") == [one]
    assert await client.accuracy("gpt") == []
    await client.reply(scan_ids[9], "맞아요")
    (one,) = await client.accuracy()
    assert one.confirmed == 5


async def test_accuracy_is_for_the_signed_in(client: Client) -> None:
    """And its request is checked as any."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.stub.GetAccuracy(GetAccuracyRequest())
    assert from_rpc_error(refused.value, "scan").reason is Reason.UNAUTHENTICATED
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.accuracy("가" * 101)
    assert from_rpc_error(refused.value, "scan").metadata == {"fields": "provider"}
