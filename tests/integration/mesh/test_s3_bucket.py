"""Objects in real object storage, and storage that fails in every way a network knows."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from pydantic import SecretStr

from mesh.errors import Unavailable
from mesh.reasons import Reason
from mesh.s3 import bucket as module
from mesh.s3.bucket import Bucket, ObjectChanged, ObjectMissing, open_bucket
from mesh.s3.settings import StorageSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.support.storage import Storage

_JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def settings(s3: "Storage") -> StorageSettings:
    """The suite's storage."""
    return StorageSettings(
        s3_endpoint=s3.endpoint,
        s3_bucket=s3.bucket,
        s3_region=s3.region,
        s3_access_key=SecretStr(s3.access_key),
        s3_secret_key=SecretStr(s3.secret_key),
        cdn_base_url=s3.cdn_base_url,
    )


@pytest.fixture
def bucket(settings: StorageSettings) -> Bucket:
    """The suite's."""
    return open_bucket(settings)


@pytest.fixture
def key(s3: "Storage") -> str:
    """Where somebody has put five bytes."""
    key = f"tests/{uuid4()}"
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name=s3.region,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
    )
    client.put_object(Bucket=s3.bucket, Key=key, Body=b"12345", ContentType="image/png", CacheControl="no-store")
    client.close()
    return key


async def test_only_what_was_seen_is_replaced(bucket: Bucket, key: str) -> None:
    """Storage compares and writes in one step."""
    seen = await bucket.look(key)
    assert (seen.size, seen.content_type, seen.metadata) == (5, "image/png", {})
    await bucket.put(key, b"new", {**_JPEG, "name": "value"}, seen.etag)
    stored = await bucket.look(key)
    assert (stored.size, stored.content_type, stored.metadata) == (3, "image/jpeg", {"name": "value"})
    with pytest.raises(ObjectChanged):
        await bucket.put(key, b"newer", _JPEG, seen.etag)
    await bucket.remove(key)
    with pytest.raises(ObjectChanged):
        await bucket.put(key, b"newest", _JPEG, stored.etag)


async def test_removing_twice_is_once(bucket: Bucket, key: str) -> None:
    """The answer to the first may have been lost."""
    for _ in range(2):
        await bucket.remove(key)
    with pytest.raises(ObjectMissing):
        await bucket.look(key)


async def test_only_the_content_that_is_wanted_is_read(bucket: Bucket, key: str) -> None:
    """What was checked is what is loaded; storage compares before it sends."""
    seen = await bucket.look(key)
    async with bucket.reading(key, seen.etag) as (found, _):
        assert found.etag == seen.etag
    await bucket.put(key, b"other", _JPEG)
    for etag, error in ((seen.etag, ObjectChanged), ("", None)):
        with pytest.raises(error) if error else nullcontext():
            async with bucket.reading(key, etag) as (found, _):
                assert found.content_type == "image/jpeg"
    await bucket.remove(key)
    with pytest.raises(ObjectMissing):
        async with bucket.reading(key, seen.etag):
            pass


async def test_many_are_removed_by_one_request(bucket: Bucket, key: str) -> None:
    """Those that are gone already don't count."""
    keys = [f"{key}/{number}" for number in range(5)]
    for one in keys:
        await bucket.put(one, b"12345", _JPEG)
    await bucket.remove(*keys[:4], f"{key}/none")
    assert [found.key for found in await bucket.page(f"{key}/")] == keys[4:]
    await bucket.remove()


async def test_a_list_goes_on_where_it_ended(bucket: Bucket, key: str) -> None:
    """In the order of keys, in pages, with the time at which each was put."""
    keys = [f"{key}/{number}" for number in range(5)]
    for one in reversed(keys):
        await bucket.put(one, b"12345", _JPEG)
    first = await bucket.page(f"{key}/", count=3)
    rest = await bucket.page(f"{key}/", after=first[-1].key, count=3)
    assert [found.key for found in (*first, *rest)] == keys
    assert all(abs(datetime.now(UTC) - found.modified_at) < timedelta(minutes=5) for found in rest)
    assert not await bucket.page(f"{key}/", after=keys[-1])


async def test_what_is_not_read_does_not_spoil_the_next_call(bucket: Bucket, key: str) -> None:
    """A photo that is known already is left unread."""
    seen = await bucket.look(key)
    await bucket.put(key, bytes(5_000_000), _JPEG, seen.etag)
    for _ in range(3):
        async with bucket.reading(key) as (found, _):
            assert found.size == 5_000_000
    await bucket.probe()


async def test_a_content_comes_in_small_pieces(bucket: Bucket, key: str) -> None:
    """Whoever reads it stops at a size of theirs."""
    seen = await bucket.look(key)
    await bucket.put(key, bytes(3_000_000), _JPEG, seen.etag)
    async with bucket.reading(key) as (_, pieces):
        sizes = [len(piece) async for piece in pieces]
    assert sum(sizes) == 3_000_000
    assert max(sizes) < 1_000_000


async def test_a_fault_of_who_reads_is_not_storages(bucket: Bucket, key: str) -> None:
    """A time-out of theirs is an OSError as well, and retrying storage would not help."""
    with pytest.raises(TimeoutError):
        async with bucket.reading(key):
            raise TimeoutError("theirs")


async def test_a_bucket_that_is_not_there_is_unavailable(settings: StorageSettings) -> None:
    """The service that asks isn't ready."""
    with pytest.raises(Unavailable):
        await open_bucket(settings.model_copy(update={"s3_bucket": f"none-{uuid4()}"})).probe()


async def test_nothing_but_the_settings_counts(
    settings: StorageSettings, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts a service may have AWS settings of their own, and the library reads those."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "theirs",
        "AWS_SECRET_ACCESS_KEY": "theirs",
        "AWS_SESSION_TOKEN": "theirs",
        "AWS_REGION": "theirs",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_CONDITIONAL_PUT": "disabled",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_CHECKSUM_ALGORITHM": "crc64nvme",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = open_bucket(settings)
    seen = await bucket.look(key)
    await bucket.put(key, b"new", _JPEG, seen.etag)
    await bucket.remove(key)
    await bucket.probe()


class Script:
    """A storage that gives these answers, one a connection, then hangs up; the last one from then on.

    Attributes:
        asked: First lines of what was asked.
    """

    def __init__(self, *answers: bytes) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if length := re.search(r"content-length: (\d+)", head):
            await reader.readexactly(int(length[1]))
        self.asked.append(head.partition(" HTTP")[0])
        writer.write(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])
        await writer.drain()


@asynccontextmanager
async def _served(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Bucket]:
    """The bucket of a storage that serves each connection so; all of them are closed when the block ends."""
    connections: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):  # the client hung up
                await serve(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async with asyncio.TaskGroup() as group:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.add(group.create_task(one(reader, writer)))

        async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
            endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            settings = StorageSettings(
                s3_endpoint=endpoint,
                s3_bucket="photos",
                s3_access_key=SecretStr("key"),
                s3_secret_key=SecretStr("secret"),
                cdn_base_url=endpoint,
            )
            yield open_bucket(settings)
        for connection in connections:
            connection.cancel()


@asynccontextmanager
async def _scripted(*answers: bytes) -> AsyncIterator[tuple[Bucket, Script]]:
    """The bucket of such a storage."""
    script = Script(*answers)
    async with _served(script.serve) as bucket:
        yield bucket, script


_NOT_NOW = b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n"
_FULL = b"HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 0\r\n\r\n"
_STORED = b'HTTP/1.1 200 OK\r\netag: "new"\r\ncontent-length: 0\r\n\r\n'
_CHANGED = b"HTTP/1.1 412 Precondition Failed\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize("first", [_NOT_NOW, b""], ids=["busy", "hung up"])
async def test_a_failed_write_is_tried_again(first: bytes) -> None:
    """One bad moment of storage shouldn't cost a stage."""
    async with _scripted(first, _STORED) as (bucket, script):
        await bucket.put("one", b"new", _JPEG, '"seen"')
    assert script.asked == ["PUT /photos/one"] * 2


async def test_a_write_whose_answer_was_lost_finds_the_object_changed() -> None:
    """The caller looks whether it was this write that changed it."""
    async with _scripted(b"", _CHANGED) as (bucket, _):
        with pytest.raises(ObjectChanged):
            await bucket.put("one", b"new", _JPEG, '"seen"')


async def test_a_full_storage_is_unavailable() -> None:
    """After three tries; and the error tells nobody where storage is."""
    async with _scripted(_FULL) as (bucket, script):
        with pytest.raises(Unavailable) as caught:
            await bucket.put("one", b"new", _JPEG, '"seen"')
    assert len(script.asked) == 3
    assert (caught.value.reason, caught.value.metadata) == (Reason.UNAVAILABLE, {"peer": "s3"})
    assert "127.0.0.1" not in str(caught.value)


async def test_a_read_is_tried_again() -> None:
    """The connection that was kept may have been closed by storage just now."""
    found = b'HTTP/1.1 200 OK\r\netag: "1"\r\nlast-modified: Sun, 29 Nov 2026 08:00:00 GMT\r\ncontent-length: 5\r\n\r\n'
    async with _scripted(b"", found) as (bucket, _):
        assert (await bucket.look("one")).size == 5


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: some\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
        b"220 mail.example.com ESMTP\r\n",
    ],
    ids=["no length", "no number", "elsewhere", "forbidden", "no HTTP"],
)
async def test_what_is_no_storage_is_unavailable(answer: bytes) -> None:
    """A proxy in between, perhaps; nobody is sent elsewhere."""
    async with _scripted(answer) as (bucket, _):
        with pytest.raises(Unavailable):
            await bucket.look("one")


async def test_storage_that_breaks_off_is_unavailable() -> None:
    """In the middle of a photo: the same as never answering."""
    async with (
        _scripted(
            b'HTTP/1.1 200 OK\r\netag: "1"\r\nlast-modified: Sun, 29 Nov 2026 08:00:00 GMT\r\n'
            b"content-length: 10\r\n\r\nhello"
        ) as (bucket, _),
        bucket.reading("one") as (_, pieces),
    ):
        with pytest.raises(Unavailable):
            assert [piece async for piece in pieces] == []


async def test_no_more_is_read_than_was_told() -> None:
    """A size that was judged before reading stays true."""
    async with (
        _scripted(
            b'HTTP/1.1 200 OK\r\netag: "1"\r\nlast-modified: Sun, 29 Nov 2026 08:00:00 GMT\r\n'
            b"content-length: 5\r\n\r\nhello, and more"
        ) as (bucket, _),
        bucket.reading("one") as (found, pieces),
    ):
        assert found.size == 5
        assert b"".join([piece async for piece in pieces]) == b"hello"


async def test_storage_that_says_nothing_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was waited for; nothing more is to come."""
    monkeypatch.setitem(module._CLIENT, "read_timeout", timedelta(milliseconds=50))

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with _served(say_nothing) as bucket:
        with pytest.raises(Unavailable):
            await bucket.look("one")


async def test_so_many_requests_are_made_at_once(
    settings: StorageSettings, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes a descriptor, and storage may be slow: further ones wait as long as for a connection."""
    monkeypatch.setattr(module, "_REQUESTS", 2)
    monkeypatch.setattr(module, "_CONNECT_SECONDS", 0.05)
    bucket = open_bucket(settings)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(bucket.reading(key))
        with pytest.raises(Unavailable):
            await bucket.look(key)
    assert (await bucket.look(key)).size == 5
