"""The photos' bucket as the services expect it: `python -m mesh.bucket prepare`, on the services' own `ECO2_S3_*`.

What is done once an installation is boto3's work; what is done for every photo is `mesh.s3.bucket`'s.
"""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from mesh.s3.settings import StorageSettings
from mesh.settings import end_misused, load

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOT_FOUND = 404
# Upload to a signed address, and show photos. What a browser may send is named by the address's signature.
_PAGES_MAY: dict[str, object] = {
    "AllowedMethods": ["PUT", "GET", "HEAD"],
    "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 7200,
}
_DEFAULT_REGION = "us-east-1"  # the one that mustn't be named when a bucket is made


class BucketSettings(StorageSettings):
    """Settings of the command."""

    photo_days: int = Field(30, ge=1, description="Days after which storage itself removes a photo.")
    cors_origins: str = Field(
        "", description="Web pages that may upload: origins by commas, each with one * at most; none: as it was."
    )


def prepare(settings: BucketSettings) -> bool:
    """Makes the bucket unless it is there, has it forget photos in time and take them from our web pages.

    Doing it again changes nothing.

    Returns:
        Whether the bucket was made.

    Raises:
        ClientError: Storage refuses: the bucket is somebody else's, or the key may not do this.
        EndpointConnectionError: Storage can't be reached.
    """
    client = _client(settings)
    made = not _exists(client, settings.s3_bucket)
    if made:
        _make(client, settings)
    expiry = {"Days": settings.photo_days}
    rule = {"ID": "photos", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": expiry}
    client.put_bucket_lifecycle_configuration(
        Bucket=settings.s3_bucket,
        LifecycleConfiguration={"Rules": [rule]},  # type: ignore[list-item]
    )
    if origins := [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]:
        page = {"AllowedOrigins": origins, **_PAGES_MAY}
        client.put_bucket_cors(
            Bucket=settings.s3_bucket,
            CORSConfiguration={"CORSRules": [page]},  # type: ignore[list-item]
        )
    return made


def _client(settings: BucketSettings) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        config=Config(connect_timeout=3, read_timeout=10, s3={"addressing_style": "path"}),
    )


def _exists(client: "S3Client", bucket: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != _NOT_FOUND:
            raise
        return False
    return True


def _make(client: "S3Client", settings: BucketSettings) -> None:
    if settings.s3_region == _DEFAULT_REGION:
        client.create_bucket(Bucket=settings.s3_bucket)
    else:
        where = {"LocationConstraint": settings.s3_region}
        client.create_bucket(Bucket=settings.s3_bucket, CreateBucketConfiguration=where)  # type: ignore[arg-type]


def main() -> None:
    """`python -m mesh.bucket prepare`."""
    settings = load(BucketSettings)
    try:
        made = prepare(settings)
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"S3: {error}") from None
    except ValueError as error:  # boto3's own word for an address that is none
        end_misused(f"ECO2_S3_ENDPOINT: {error}")
    print("made" if made else "found", f"{settings.s3_bucket}; photos are forgotten after {settings.photo_days} days")
