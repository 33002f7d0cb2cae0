"""Photos in object storage, over S3's own HTTP: read, replaced, looked at, removed, and addresses to upload to.

boto3 would do the same in threads, for many times the CPU of a small photo (3.3 ms a GET of 40 kB) and 35 MiB of every
process. What is left to do by hand is the signature (AWS Signature Version 4), which the tests compare with
botocore's.
"""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr

from mesh.errors import Unavailable
from mesh.http_client import HttpClient, HttpReply
from mesh.reasons import Reason
from mesh.settings import ServiceSettings

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_CONNECT_SECONDS = 3.0
_READ_SECONDS = 10.0  # of silence, not for the whole
_CONNECTIONS = 64
_NOT_FOUND = 404
_CONDITION_FAILED = frozenset({409, 412})
_METADATA = "x-amz-meta-"


class StorageSettings(ServiceSettings):
    """Settings of the services that have to do with photos."""

    s3_endpoint: str = Field(description="Object storage as phones reach it; it stands in presigned addresses.")
    s3_bucket: str = Field(description="Bucket of the photos.")
    s3_region: str = Field("us-east-1", description="Region in the signatures.")
    s3_access_key: SecretStr = Field(description="Key id.")
    s3_secret_key: SecretStr = Field(description="Key.")
    cdn_base_url: str = Field(description="Where photos can be seen: this, a slash, the object key.")


class ObjectMissing(Exception):
    """There is no such object."""


class ObjectChanged(Exception):
    """The object isn't the one that was expected: replaced, or removed."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What storage tells of an object.

    Attributes:
        size: In bytes.
        content_type: Media type.
        etag: Changes with the content; quoted, as it came.
        sha256: Digest of the content as storage computed it, base64; empty if it keeps none.
        metadata: What was stored with it, by name in lower case.
    """

    size: int
    content_type: str
    etag: str
    sha256: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs requests to one bucket's storage.

    Attributes:
        access_key: Names the key.
        secret_key: The key.
        region: In the signature.
        clock: The time.
    """

    access_key: str
    secret_key: str
    region: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _keys: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    def headers(self, method: str, url: str, headers: Mapping[str, str], digest: str = _UNSIGNED) -> dict[str, str]:
        """The headers with a signature over all of them.

        Args:
            method: Of the request.
            url: Its address, quoted.
            headers: Names in lower case.
            digest: SHA-256 of the body in hex, or the word that it isn't signed.
        """
        parts = urlsplit(url)
        moment = self.clock().strftime("%Y%m%dT%H%M%SZ")
        signed = {**headers, "host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": moment}
        signature = self._signature(method, parts.path, parts.query, signed, digest, moment)
        authorization = (
            f"{_ALGORITHM} Credential={self.access_key}/{self._scope(moment)}, "
            f"SignedHeaders={';'.join(sorted(signed))}, Signature={signature}"
        )
        return {**signed, "authorization": authorization}

    def address(self, method: str, url: str, headers: Mapping[str, str], seconds: int) -> str:
        """An address that lets anybody send one such request, with exactly these headers.

        Args:
            method: Of the request.
            url: Its address, quoted.
            headers: Names in lower case.
            seconds: How long it works.
        """
        parts = urlsplit(url)
        moment = self.clock().strftime("%Y%m%dT%H%M%SZ")
        signed = {**headers, "host": parts.netloc}
        query = _query(f"{self.access_key}/{self._scope(moment)}", moment, seconds, ";".join(sorted(signed)))
        signature = self._signature(method, parts.path, query, signed, _UNSIGNED, moment)
        return f"{url}?{query}&X-Amz-Signature={signature}"

    def _scope(self, moment: str) -> str:
        return f"{moment[:8]}/{self.region}/s3/aws4_request"

    def _signature(
        self, method: str, path: str, query: str, headers: Mapping[str, str], digest: str, moment: str
    ) -> str:
        names = sorted(headers)
        lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
        request = f"{method}\n{path}\n{query}\n{lines}\n{';'.join(names)}\n{digest}"
        scope = self._scope(moment)
        text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        return hmac.digest(self._key(scope), text.encode(), "sha256").hex()

    def _key(self, scope: str) -> bytes:
        """The key of a day; kept, since making it costs as much as all the rest of a signature."""
        if scope not in self._keys:
            key = f"AWS4{self.secret_key}".encode()
            for part in scope.split("/"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._keys.clear()  # yesterday's
            self._keys[scope] = key
        return self._keys[scope]


@lru_cache(16)
def _query(credential: str, moment: str, seconds: int, signed: str) -> str:
    """What an address says about its signature: the same for all that are made in a second."""
    return "&".join(
        f"{name}={quote(value, safe='')}"
        for name, value in (
            ("X-Amz-Algorithm", _ALGORITHM),
            ("X-Amz-Credential", credential),
            ("X-Amz-Date", moment),
            ("X-Amz-Expires", str(seconds)),
            ("X-Amz-SignedHeaders", signed),
        )
    )


class Bucket:
    """One bucket.

    Args:
        client: Connections to the storage.
        url: Address of the bucket.
        signer: Signs the requests.
    """

    def __init__(self, client: HttpClient, url: str, signer: Signer) -> None:
        self._client = client
        self._url = url
        self._signer = signer

    async def probe(self) -> None:
        """Asks for the bucket.

        Raises:
            Unavailable: It can't be reached.
        """
        async with self._asked("HEAD", self._url) as reply:
            _demand_success(reply)

    async def look(self, key: str) -> StoredObject:
        """What storage tells of an object, without its content.

        Raises:
            ObjectMissing: There is none.
            Unavailable: Storage doesn't answer.
        """
        async with self._asked("HEAD", self._address(key), _CHECKSUM) as reply:
            return _stored(reply)

    @asynccontextmanager
    async def reading(self, key: str) -> AsyncIterator[tuple[StoredObject, AsyncIterator[bytes]]]:
        """What storage tells of an object, and its content in pieces; left early, the rest isn't sent.

        Raises:
            ObjectMissing: There is none.
            Unavailable: Storage doesn't answer, or breaks off.
        """
        async with self._asked("GET", self._address(key), _CHECKSUM) as reply:
            yield _stored(reply), _pieces(reply)

    async def replace(
        self, key: str, content: bytes, content_type: str, metadata: Mapping[str, str], etag: str
    ) -> StoredObject:
        """Puts another content in the place of the one that was seen.

        Args:
            key: Where.
            content: The new one.
            content_type: Its media type.
            metadata: Kept with it; names in lower case, values in ASCII.
            etag: Of the content that was seen.

        Raises:
            ObjectChanged: It isn't there any more: replaced meanwhile, or removed.
            Unavailable: Storage doesn't answer.
        """
        digest = hashlib.sha256(content)
        sha256 = base64.b64encode(digest.digest()).decode()
        headers = {
            "content-type": content_type,
            "if-match": etag,
            "x-amz-checksum-sha256": sha256,
            **{f"{_METADATA}{name}": value for name, value in metadata.items()},
        }
        async with self._asked("PUT", self._address(key), headers, content, digest.hexdigest()) as reply:
            if reply.status in _CONDITION_FAILED or reply.status == _NOT_FOUND:
                raise ObjectChanged(key)
            _demand_success(reply)
            return StoredObject(len(content), content_type, reply.headers.get("etag", ""), sha256, metadata)

    async def remove(self, key: str) -> None:
        """Removes an object; it is no error if it is gone.

        Raises:
            Unavailable: Storage doesn't answer.
        """
        async with self._asked("DELETE", self._address(key)) as reply:
            if reply.status != _NOT_FOUND:
                _demand_success(reply)

    def upload_address(self, key: str, headers: Mapping[str, str], seconds: int) -> str:
        """An address to which one object can be put, with exactly these headers; nothing is sent.

        Args:
            key: Where.
            headers: That the upload must carry; names in lower case.
            seconds: How long it works.
        """
        return self._signer.address("PUT", self._address(key), headers, seconds)

    def _address(self, key: str) -> str:
        return f"{self._url}/{quote(key, safe='/-_.~')}"

    @asynccontextmanager
    async def _asked(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        digest: str = _UNSIGNED,
    ) -> AsyncIterator[HttpReply]:
        signed = self._signer.headers(method, url, headers or {}, digest)
        async with AsyncExitStack() as stack:
            with _answering():  # not around the block, whose own time-outs are OSErrors too
                reply = await stack.enter_async_context(
                    self._client.request(method, urlsplit(url).path, signed, content)
                )
            yield reply


_CHECKSUM: Mapping[str, str] = {"x-amz-checksum-mode": "ENABLED"}


@contextmanager
def _answering() -> Iterator[None]:
    """Around what waits for storage."""
    try:
        yield
    except OSError as error:
        raise _unavailable() from error


async def _pieces(reply: HttpReply) -> AsyncIterator[bytes]:
    """The body as it comes."""
    with _answering():
        async for piece in reply.pieces():
            yield piece


def _stored(reply: HttpReply) -> StoredObject:
    if reply.status == _NOT_FOUND:
        raise ObjectMissing
    _demand_success(reply)
    headers = reply.headers
    if not headers.get("content-length", "").isdecimal():
        raise _unavailable()  # not S3: it says how long every object is
    metadata = {name.removeprefix(_METADATA): headers[name] for name in headers if name.startswith(_METADATA)}
    return StoredObject(
        int(headers["content-length"]),
        headers.get("content-type", ""),
        headers.get("etag", ""),
        headers.get("x-amz-checksum-sha256", ""),
        metadata,
    )


def _demand_success(reply: HttpReply) -> None:
    if not reply.ok:
        raise _unavailable()


def _unavailable() -> Unavailable:
    return Unavailable(Reason.UNAVAILABLE, retry_after=1.0, peer="s3")


@asynccontextmanager
async def open_bucket(settings: StorageSettings) -> AsyncIterator[Bucket]:
    """The bucket of these settings; connections are made when they are first needed, and closed at exit."""
    secret = settings.s3_secret_key.get_secret_value()
    signer = Signer(settings.s3_access_key.get_secret_value(), secret, settings.s3_region)
    client = HttpClient(
        settings.s3_endpoint,
        connections=_CONNECTIONS,
        connect_seconds=_CONNECT_SECONDS,
        read_seconds=_READ_SECONDS,
    )
    try:
        yield Bucket(client, f"{settings.s3_endpoint.rstrip('/')}/{settings.s3_bucket}", signer)
    finally:
        client.close()
