"""Presigned uploads: the signatures are botocore's, letter by letter."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from mesh.s3.presigned import PresignedUploads
from mesh.s3.settings import StorageSettings

_ENDPOINTS = (
    "http://127.0.0.1:8333",
    "https://s3.ap-northeast-2.amazonaws.com/",
    "https://Storage.Example:443",
    "http://storage.example:80/tenant/a+b",
    "http://[::1]:9000",
)
_KEYS = ("AKIA/EXAMPLE+1", "wJalrXUtnFEMI/K7MDENG")
_NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def _settings(endpoint: str, region: str = "ap-northeast-2") -> StorageSettings:
    return StorageSettings(
        s3_endpoint=endpoint,
        s3_bucket="photos",
        s3_region=region,
        s3_access_key=SecretStr(_KEYS[0]),
        s3_secret_key=SecretStr(_KEYS[1]),
        cdn_base_url="https://cdn.example",
    )


def _by_botocore(
    endpoint: str, region: str, key: str, headers: dict[str, str], seconds: int, now: datetime, verb: str = "PUT"
) -> str:
    url = f"{endpoint.rstrip('/')}/photos/{quote(key, safe='/-_.~')}"
    request = AWSRequest(verb, url, headers=headers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: now)
        botocore.auth.S3SigV4QueryAuth(Credentials(*_KEYS), "s3", region, expires=seconds).add_auth(request)
    return str(request.url)


@given(
    endpoint=st.sampled_from(_ENDPOINTS),
    region=st.sampled_from(("us-east-1", "ap-northeast-2")),
    key=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40),
    headers=st.dictionaries(
        st.from_regex(r"x-amz-meta-[a-z0-9]{1,8}|Content-(Type|Length)|If-None-Match", fullmatch=True),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        max_size=5,
    ),
    seconds=st.integers(1, 604_800),
    after=st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_a_signature_is_botocores(
    endpoint: str, region: str, key: str, headers: dict[str, str], seconds: int, after: timedelta
) -> None:
    """For whatever key, headers, place and time."""
    now = _NOON + after
    ours = PresignedUploads(_settings(endpoint, region), lambda: now).address(key, headers, seconds)
    assert ours == _by_botocore(endpoint, region, key, headers, seconds, now)


@pytest.mark.parametrize("endpoint", _ENDPOINTS)
def test_a_signature_for_reading_is_botocores(endpoint: str) -> None:
    """The same, for whoever fetches an object."""
    ours = PresignedUploads(_settings(endpoint, "us-east-1"), lambda: _NOON).reading("exports/a b.zip", 300)
    assert ours == _by_botocore(endpoint, "us-east-1", "exports/a b.zip", {}, 300, _NOON, "GET")


def test_each_day_has_a_key_of_its_own() -> None:
    """A process that runs on past midnight, or whose clock is set back, signs for the day it is."""
    days = [_NOON, _NOON + timedelta(days=1), _NOON]
    moments = iter(days)
    presigned = PresignedUploads(_settings(_ENDPOINTS[0], "us-east-1"), lambda: next(moments))
    made = [presigned.address("a.jpg", {}, 300) for _ in days]
    assert made == [_by_botocore(_ENDPOINTS[0], "us-east-1", "a.jpg", {}, 300, day) for day in days]
