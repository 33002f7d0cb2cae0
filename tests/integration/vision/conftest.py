"""What the tests of the running service share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import boto3
import pytest

from vision_svc.model import MODEL
from vision_svc.model.convert import convert
from vision_svc.settings import VisionSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Storage(Protocol):
    """What the suite's `s3` fixture tells."""

    endpoint: str
    bucket: str
    region: str
    access_key: str
    secret_key: str
    cdn_base_url: str


@pytest.fixture
def settings(s3: Storage) -> VisionSettings:
    """Vision on the suite's storage, with its model built."""
    convert(MODEL)
    return VisionSettings(
        s3_endpoint=s3.endpoint,
        s3_bucket=s3.bucket,
        s3_region=s3.region,
        s3_access_key=s3.access_key,
        s3_secret_key=s3.secret_key,
        cdn_base_url=s3.cdn_base_url,
        drain_seconds=0,
    )


@pytest.fixture
def put(s3: Storage) -> Callable[[str, bytes], None]:
    """Stores an object, as a client's upload does."""
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name=s3.region,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
    )

    def store(key: str, content: bytes) -> None:
        client.put_object(Bucket=s3.bucket, Key=key, Body=content)

    return store
