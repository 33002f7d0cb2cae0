"""Presigned uploads against real object storage: what is signed is what can be put, and nothing else."""

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from pydantic import SecretStr

from mesh.s3.bucket import Bucket, ObjectMissing, open_bucket
from mesh.s3.presigned import PresignedUploads
from mesh.s3.settings import StorageSettings
from tests.support.http import http_client

if TYPE_CHECKING:
    from tests.support.storage import Storage

_PHOTO = b"12345"
_HEADERS = {
    "Content-Type": "image/jpeg",
    "Content-Length": str(len(_PHOTO)),
    "If-None-Match": "*",
    "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(_PHOTO).digest()).decode(),
}


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
def presigned(settings: StorageSettings) -> PresignedUploads:
    """Signs uploads to it."""
    return PresignedUploads(settings)


@pytest.fixture
def bucket(settings: StorageSettings) -> Bucket:
    """What lies there."""
    return open_bucket(settings)


async def _put(url: str, headers: Mapping[str, str] = _HEADERS, body: bytes = _PHOTO) -> int:
    """Uploads as a client does; the status."""
    async with http_client() as client:
        reply = await client.put(url, content=body, headers={**headers, "Content-Length": str(len(body))})
    return reply.status_code


@pytest.mark.parametrize(
    ("header", "value", "body"),
    [
        ("Content-Type", "image/png", _PHOTO),
        ("Content-Length", "6", b"123456"),
        ("If-None-Match", "", _PHOTO),
        ("x-amz-checksum-sha256", base64.b64encode(hashlib.sha256(b"54321").digest()).decode(), b"54321"),
        ("x-amz-checksum-sha256", _HEADERS["x-amz-checksum-sha256"], b"54321"),
        # By it a service knows its own clean copies; whoever could forge it would skip the decoder.
        ("x-amz-meta-eco2-clean", "forged", _PHOTO),
    ],
    ids=["type", "length", "overwriting", "checksum", "content", "metadata"],
)
async def test_nothing_but_what_was_signed_can_be_put(
    presigned: PresignedUploads, bucket: Bucket, header: str, value: str, body: bytes
) -> None:
    """Type, length, checksum, and that nothing is overwritten."""
    key = f"tests/{uuid4()}"
    headers = {name: told for name, told in {**_HEADERS, header: value}.items() if told}
    assert await _put(presigned.address(key, _HEADERS, 300), headers, body) in {400, 403}
    with pytest.raises(ObjectMissing):
        await bucket.look(key)


async def test_a_photo_is_put_once(presigned: PresignedUploads, bucket: Bucket) -> None:
    """Under the key it is asked for by afterwards, whatever is in that."""
    key = f"tests/{uuid4()}/사진 1+(2)~é=%41.jpg"
    url = presigned.address(key, _HEADERS, 300)
    assert await _put(url) == 200
    assert await _put(url) == 412
    found = await bucket.look(key)
    assert (found.size, found.content_type, found.metadata) == (5, "image/jpeg", {})


async def test_an_address_is_for_one_object(presigned: PresignedUploads) -> None:
    """Somebody else's key is another signature."""
    url = presigned.address(f"tests/{uuid4()}", _HEADERS, 300)
    assert await _put(url.replace("tests/", "tests/x")) == 403


async def test_the_keys_come_from_the_settings_alone(
    settings: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts a service may have AWS settings of their own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.setenv(name, "theirs")
    assert await _put(PresignedUploads(settings).address(f"tests/{uuid4()}", _HEADERS, 300)) == 200
