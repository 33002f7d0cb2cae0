"""Object storage over its own HTTP: signatures, and what storage enforces."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import SecretStr

from mesh.errors import Unavailable
from mesh.storage import Bucket, ObjectChanged, ObjectMissing, Signer, StorageSettings, open_bucket

if TYPE_CHECKING:
    from tests.support.storage import Storage

_URL = "https://s3.example.com/bucket/photos/%EC%82%AC%EC%A7%84%201.jpg"
_HEADERS = {"content-type": "image/jpeg", "if-none-match": "*"}


@pytest.fixture
def signer() -> Signer:
    """With AWS' own example key."""
    return Signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "ap-northeast-2")


@pytest.fixture
async def bucket(s3: "Storage") -> AsyncIterator[Bucket]:
    """The suite's."""
    settings = StorageSettings(
        s3_endpoint=s3.endpoint,
        s3_bucket=s3.bucket,
        s3_region=s3.region,
        s3_access_key=SecretStr(s3.access_key),
        s3_secret_key=SecretStr(s3.secret_key),
        cdn_base_url=s3.cdn_base_url,
    )
    async with open_bucket(settings) as opened:
        yield opened


def _credentials(signer: Signer) -> Credentials:
    return Credentials(signer.access_key, signer.secret_key)


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", b"content")])
def test_signed_headers_are_botocores(signer: Signer, method: str, body: bytes) -> None:
    """Another's reading of the same rules."""
    digest = hashlib.sha256(body).hexdigest()
    ours = signer.headers(method, _URL, _HEADERS, digest)
    theirs = AWSRequest(method=method, url=_URL, data=body, headers=dict(_HEADERS))
    theirs.context["timestamp"] = ours["x-amz-date"]
    auth = S3SigV4Auth(_credentials(signer), "s3", signer.region)
    theirs.headers["X-Amz-Date"] = ours["x-amz-date"]
    theirs.headers["X-Amz-Content-SHA256"] = digest
    signed = auth.signature(auth.string_to_sign(theirs, auth.canonical_request(theirs)), theirs)
    assert ours["authorization"].endswith(f"Signature={signed}")


def test_signed_addresses_are_botocores(signer: Signer) -> None:
    """All that is signed stands in the query."""
    request = AWSRequest(method="PUT", url=_URL, headers=dict(_HEADERS))
    S3SigV4QueryAuth(_credentials(signer), "s3", signer.region, expires=300).add_auth(request)
    theirs = parse_qs(urlsplit(str(request.url)).query)
    moment = datetime.strptime(theirs["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    frozen = Signer(signer.access_key, signer.secret_key, signer.region, lambda: moment)
    assert parse_qs(urlsplit(frozen.address("PUT", _URL, _HEADERS, 300)).query) == theirs


async def _put(bucket: Bucket, key: str, headers: Mapping[str, str] = _HEADERS, body: bytes = b"12345") -> int:
    """Uploads as a client does; the status."""
    url = bucket.upload_address(key, {**_HEADERS, "content-length": "5"}, 300)
    async with httpx2.AsyncClient() as client:
        reply = await client.put(url, content=body, headers=dict(headers))
    return reply.status_code


async def test_an_upload_is_what_was_signed(bucket: Bucket) -> None:
    """Another type, another length, a second time: refused."""
    key = f"tests/{uuid4()}"
    assert await _put(bucket, key, {**_HEADERS, "content-type": "image/png"}) == 403
    assert await _put(bucket, key, body=b"123456") == 403
    assert await _put(bucket, key) == 200
    assert await _put(bucket, key) == 412
    assert (await bucket.look(key)).size == 5


async def test_a_client_can_not_write_metadata(bucket: Bucket) -> None:
    """By it a service knows its own clean copies; whoever could forge it would skip the decoder."""
    key = f"tests/{uuid4()}"
    assert await _put(bucket, key, {**_HEADERS, "x-amz-meta-eco2-clean": "forged"}) == 403
    with pytest.raises(ObjectMissing):
        await bucket.look(key)


async def test_only_what_was_seen_is_replaced(bucket: Bucket) -> None:
    """Storage compares and writes in one step."""
    key = f"tests/{uuid4()}"
    await _put(bucket, key)
    seen = await bucket.look(key)
    stored = await bucket.replace(key, b"new", "image/jpeg", {"name": "value"}, seen.etag)
    assert (await bucket.look(key)) == stored
    with pytest.raises(ObjectChanged):
        await bucket.replace(key, b"newer", "image/jpeg", {}, seen.etag)
    await bucket.remove(key)
    with pytest.raises(ObjectChanged):
        await bucket.replace(key, b"newest", "image/jpeg", {}, stored.etag)


async def test_what_is_not_read_does_not_spoil_the_next_call(bucket: Bucket) -> None:
    """A photo that is known already is left unread."""
    key = f"tests/{uuid4()}"
    await _put(bucket, key)
    seen = await bucket.look(key)
    await bucket.replace(key, bytes(5_000_000), "image/jpeg", {}, seen.etag)
    for _ in range(3):
        async with bucket.reading(key) as (found, _):
            assert found.size == 5_000_000
    await bucket.probe()


async def test_a_fault_of_who_reads_is_not_storages(bucket: Bucket) -> None:
    """A time-out of theirs is an OSError as well, and retrying storage would not help."""
    key = f"tests/{uuid4()}"
    await _put(bucket, key)
    with pytest.raises(TimeoutError):
        async with bucket.reading(key):
            raise TimeoutError("theirs")


@asynccontextmanager
async def _answered(head: bytes, body: bytes = b"") -> AsyncIterator[Bucket]:
    """The bucket of a storage that gives one answer and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = StorageSettings(
            s3_endpoint=endpoint,
            s3_bucket="photos",
            s3_access_key=SecretStr("key"),
            s3_secret_key=SecretStr("secret"),
            cdn_base_url=endpoint,
        )
        async with open_bucket(settings) as opened:
            yield opened


async def test_storage_that_says_no_length_is_unavailable() -> None:
    """It isn't S3: a proxy in between, perhaps."""
    async with _answered(b"HTTP/1.1 200 OK") as bucket:
        with pytest.raises(Unavailable):
            await bucket.look("one")


async def test_storage_that_breaks_off_is_unavailable() -> None:
    """In the middle of a photo: the same as never answering."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 10"
    async with _answered(head, b"hello") as bucket, bucket.reading("one") as (_, pieces):
        with pytest.raises(Unavailable):
            assert [piece async for piece in pieces] == []
