"""The photos' bucket, made ready by the command that production uses."""

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import httpx2
import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.support.storage import Storage


@pytest.fixture
def client(s3: "Storage") -> "S3Client":
    """An operator's own."""
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name=s3.region,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
    )


def prepare(s3: "Storage", bucket: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs the command."""
    variables = {
        "ECO2_S3_ENDPOINT": s3.endpoint,
        "ECO2_S3_BUCKET": bucket,
        "ECO2_S3_REGION": s3.region,
        "ECO2_S3_ACCESS_KEY": s3.access_key,
        "ECO2_S3_SECRET_KEY": s3.secret_key,
        "ECO2_CDN_BASE_URL": s3.cdn_base_url,
    }
    return subprocess.run(
        (sys.executable, "-m", "mesh.bucket", "prepare"),
        env={**os.environ, **variables, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bucket_is_made_and_forgets_photos_in_time(s3: "Storage", client: "S3Client") -> None:
    """And a second run finds it so, and takes up another time."""
    name = f"test-{uuid4().hex[:12]}"
    assert prepare(s3, name).stdout.startswith("made ")
    assert prepare(s3, name, ECO2_PHOTO_DAYS="7").stdout.startswith("found ")
    rules = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules} == {"photos/": 7, "uploads/": 1}
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    client.delete_bucket(Bucket=name)


@pytest.mark.parametrize(("policy", "clean"), [("true", 200), ("false", 403)], ids=["anybody", "a CDN alone"])
def test_strangers_read_clean_photos_and_nothing_else(
    s3: "Storage", client: "S3Client", policy: str, clean: int
) -> None:
    """Nor list, nor ask about an upload in another way, whatever they write between the bucket and the key."""
    name = f"test-{uuid4().hex[:12]}"
    assert prepare(s3, name, ECO2_PUBLIC_POLICY="true").returncode == 0
    assert prepare(s3, name, ECO2_PUBLIC_POLICY=policy).returncode == 0
    for key in ("photos/a.jpg", "uploads/a.jpg"):
        client.put_object(Bucket=name, Key=key, Body=b"photo")
    place = f"{s3.endpoint}/{name}"
    for method in ("GET", "HEAD"):
        assert httpx2.request(method, f"{place}/photos/a.jpg").status_code == clean
    private = ["uploads/a.jpg", "uploads//a.jpg", "/uploads/a.jpg", "uploads/a.jpg?partNumber=1", "?list-type=2"]
    for method in ("GET", "HEAD"):
        assert {httpx2.request(method, f"{place}/{path}").status_code for path in private} <= {400, 403, 404}
    assert httpx2.get(f"{place}/uploads/a.jpg").status_code == 403
    client.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "photos/a.jpg"}, {"Key": "uploads/a.jpg"}]})
    client.delete_bucket(Bucket=name)


def test_our_web_pages_may_upload_and_no_others(s3: "Storage", client: "S3Client") -> None:
    """A browser asks storage itself before it sends a photo there."""
    name = f"test-{uuid4().hex[:12]}"
    assert prepare(s3, name, ECO2_CORS_ORIGINS="https://app.test, https://*.pages.test").returncode == 0
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type,if-none-match"}
    allowed = {
        origin: httpx2.options(f"{s3.endpoint}/{name}/photo", headers=asked | {"Origin": origin}).headers.get(
            "access-control-allow-origin"
        )
        for origin in ("https://app.test", "https://preview-7.pages.test", "https://evil.test")
    }
    ours = ("https://app.test", "https://preview-7.pages.test")
    assert allowed == {**{origin: origin for origin in ours}, "https://evil.test": None}
    client.delete_bucket(Bucket=name)


def test_a_key_that_may_not_is_told_so(s3: "Storage") -> None:
    """The command fails, and nothing is half done."""
    done = prepare(s3, f"test-{uuid4().hex[:12]}", ECO2_S3_SECRET_KEY="wrong")
    assert done.returncode != 0
    assert "Forbidden" in done.stderr or "403" in done.stderr
