"""The photos' bucket as the services expect it: `python -m mesh.bucket prepare`, on the services' own `ECO2_S3_*`.

Uploads can be read with a key only. Their clean copies can be read by anybody who knows the address, by the bucket's
policy; or by the CDN alone, if that has a key of its own.

What is done once an installation is boto3's work; what is done for every photo is `mesh.s3.bucket`'s.
"""

import json
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from mesh.s3.photo_keys import ORIGINALS, PUBLIC
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

    photo_days: int = Field(30, ge=1, description="Days after which storage itself removes a clean photo.")
    upload_days: int = Field(1, ge=1, description="Days after which it removes an upload that was forgotten.")
    public_policy: bool = Field(
        True,
        description="Let anybody read clean photos by the bucket's policy; false: a CDN with a key of its own does.",
    )
    cors_origins: str = Field(
        "", description="Web pages that may upload: origins by commas, each with one * at most; none: as it was."
    )


def prepare(settings: BucketSettings) -> bool:
    """Makes the bucket unless it is there; says who reads it, when it forgets, and which web pages may upload.

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
    _let_read(client, settings)
    client.put_bucket_lifecycle_configuration(
        Bucket=settings.s3_bucket,
        LifecycleConfiguration={"Rules": _expiry_rules(settings)},  # type: ignore[typeddict-item]
    )
    if origins := [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]:
        page = {"AllowedOrigins": origins, **_PAGES_MAY}
        client.put_bucket_cors(
            Bucket=settings.s3_bucket,
            CORSConfiguration={"CORSRules": [page]},  # type: ignore[list-item]
        )
    return made


def expires(settings: StorageSettings) -> bool:
    """Whether uploads and clean photos are removed by storage itself in the end."""
    try:
        rules = _client(settings).get_bucket_lifecycle_configuration(Bucket=settings.s3_bucket)["Rules"]
    except (BotoCoreError, ClientError):
        return False
    kept = [rule for rule in rules if rule["Status"] == "Enabled" and "Days" in rule.get("Expiration", {})]
    prefixes = [rule.get("Filter", {}).get("Prefix", rule.get("Prefix", "")) for rule in kept]
    return all(any(folder.startswith(prefix) for prefix in prefixes) for folder in (ORIGINALS, PUBLIC))


def _expiry_rules(settings: BucketSettings) -> list[dict[str, object]]:
    """When storage itself removes what is in the bucket: S3's lifecycle rules."""
    days = {PUBLIC: settings.photo_days, ORIGINALS: settings.upload_days}
    return [
        {"ID": prefix.rstrip("/"), "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": expiry}}
        for prefix, expiry in days.items()
    ]


def _let_read(client: "S3Client", settings: BucketSettings) -> None:
    """Lets strangers read what is clean, or nothing."""
    if not settings.public_policy:
        client.delete_bucket_policy(Bucket=settings.s3_bucket)
        return
    clean = f"arn:aws:s3:::{settings.s3_bucket}/{PUBLIC}*"
    allow = {"Sid": "CleanPhotos", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": clean}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    client.put_bucket_policy(Bucket=settings.s3_bucket, Policy=json.dumps(policy))


def _client(settings: StorageSettings) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key.get_secret_value() or None,
        aws_secret_access_key=settings.s3_secret_key.get_secret_value() or None,
        aws_session_token=settings.s3_session_token.get_secret_value() or None,
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
    print("made" if made else "found", f"{settings.s3_bucket}; photos are forgotten after {settings.photo_days} days,",
          f"uploads after {settings.upload_days}")  # fmt: skip
