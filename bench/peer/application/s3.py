"""Photos in object storage: read one, put its clean copy in its place. Signed by hand, which is cheaper than boto3."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from functools import cache, lru_cache
from urllib.parse import urlsplit

import urllib3

from bench.peer.application import config

_CONNECTIONS = 64
_TIMEOUT_SECONDS = 10.0
_UNSIGNED = "UNSIGNED-PAYLOAD"


def get(key: str) -> tuple[bytes, str]:
    """A photo's content and its ETag."""
    reply = _send("GET", key, {}, None, _UNSIGNED)
    return reply.data, reply.headers["etag"]


def replace(key: str, content: bytes, etag: str, identity: str) -> None:
    """Puts the clean copy where the original was, unless that has changed meanwhile."""
    headers = {"content-type": "image/jpeg", "if-match": etag, "x-amz-meta-clean": identity}
    _send("PUT", key, headers, content, hashlib.sha256(content).hexdigest())


def _send(
    method: str, key: str, headers: Mapping[str, str], body: bytes | None, digest: str
) -> urllib3.BaseHTTPResponse:
    path = f"/{config.S3_BUCKET}/{key}"
    signed = _signed(method, path, headers, digest)
    reply = _http().request(method, config.S3_ENDPOINT + path, body=body, headers=signed)
    if reply.status != 200:
        raise RuntimeError(f"storage: {method} {reply.status}")
    return reply


@cache
def _http() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=_CONNECTIONS, retries=False, timeout=_TIMEOUT_SECONDS)


@lru_cache(2)
def _key_of(day: str) -> bytes:
    key = b"AWS4" + config.S3_SECRET_KEY.encode()
    for part in (day, config.S3_REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _signed(method: str, path: str, headers: Mapping[str, str], digest: str) -> Mapping[str, str]:
    """The headers with AWS's signature, version 4."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/{config.S3_REGION}/s3/aws4_request"
    host = urlsplit(config.S3_ENDPOINT).netloc
    all_headers = {**headers, "host": host, "x-amz-content-sha256": digest, "x-amz-date": now}
    names = sorted(all_headers)
    lines = "".join(f"{name}:{all_headers[name]}\n" for name in names)
    request = f"{method}\n{path}\n\n{lines}\n{';'.join(names)}\n{digest}"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.digest(_key_of(now[:8]), text.encode(), "sha256").hex()
    credential = f"Credential={config.S3_ACCESS_KEY}/{scope}, SignedHeaders={';'.join(names)}"
    return {**all_headers, "authorization": f"AWS4-HMAC-SHA256 {credential}, Signature={signature}"}
