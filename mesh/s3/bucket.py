"""One bucket: objects are read, looked at, listed, put and removed, by `obstore`, the Rust crate object_store."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from mesh.errors import Unavailable
from mesh.observability import tracing
from mesh.reasons import Reason
from mesh.s3.credentials import Credentials, credentials_of
from mesh.s3.settings import StorageSettings

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, PutMode
    from obstore.store import ClientConfig, RetryConfig, S3Credential

_REQUESTS = 64  # at once: each may need a connection of its own
_CONNECT_SECONDS = 3.0  # to wait for one of these places, and then for the connection
_PIECE = 1 << 18  # bytes of a content that are held at once
_PART = 5 << 20  # the least that S3 takes
_PROBED = "probe"  # a folder with nothing in it

_CLIENT: "ClientConfig" = {
    "allow_http": True,  # if the endpoint says so
    "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
    "read_timeout": timedelta(seconds=10),  # of silence
    "timeout": timedelta(seconds=60),
}
# Refused and dropped connections and errors of the server are tried again, a silent server isn't: it was waited for.
_RETRIES: "RetryConfig" = {
    "max_retries": 2,
    "retry_timeout": timedelta(seconds=2),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1), "base": 4},
}


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
        metadata: What was stored with it, by name in lower case.
    """

    size: int
    content_type: str
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListedObject:
    """What a list tells of an object.

    Attributes:
        key: Where it is.
        modified_at: When it was put, by storage's clock.
    """

    key: str
    modified_at: datetime


class Bucket:
    """One bucket.

    Args:
        store: It.
    """

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._requests = asyncio.Semaphore(_REQUESTS)

    async def probe(self) -> None:
        """Asks whether the bucket is there.

        Raises:
            Unavailable: It isn't, or can't be reached.
        """
        async with self._request("ListObjectsV2"):
            await obstore.list_with_delimiter_async(self._store, _PROBED)

    async def look(self, key: str) -> StoredObject:
        """What storage tells of an object, without its content.

        Raises:
            ObjectMissing: There is none.
            Unavailable: Storage doesn't answer.
        """
        async with self._request("HeadObject"):
            # Not `head_async`, which doesn't tell the type and the metadata.
            return _stored(await obstore.get_async(self._store, key, options={"head": True}))

    @asynccontextmanager
    async def reading(self, key: str, etag: str = "") -> AsyncIterator[tuple[StoredObject, AsyncIterator[bytes]]]:
        """What storage tells of an object, and its content in pieces; left early, the rest isn't sent.

        Args:
            key: Where.
            etag: Of the content that is wanted; empty for whatever is there.

        Raises:
            ObjectMissing: There is none.
            ObjectChanged: It has another content.
            Unavailable: Storage doesn't answer, or breaks off.
        """
        async with self._place("GetObject"):
            with _answering():  # not around the block, whose own time-outs are OSErrors too
                options: GetOptions = {"if_match": etag} if etag else {}
                result = await obstore.get_async(self._store, key, options=options)
            yield _stored(result), _pieces(result)

    async def part(self, key: str, start: int, length: int) -> bytes:
        """So many bytes of an object, from a place on; fewer if it ends before.

        Raises:
            ObjectMissing: There is none.
            Unavailable: Storage doesn't answer.
        """
        async with self._request("GetObject"):
            return bytes(await obstore.get_range_async(self._store, key, start=start, length=length))

    async def put(self, key: str, content: bytes, headers: Mapping[str, str], etag: str = "") -> None:
        """Puts an object, in the place of the one that was seen or of whatever is there.

        An answer that was lost on the way makes the library ask again: the second try finds the object changed.

        Args:
            key: Where.
            content: Its content.
            headers: HTTP's about it, such as Content-Type; and metadata, its names in lower case, its values in ASCII.
            etag: Of the content that was seen there; empty for whatever is there.

        Raises:
            ObjectChanged: It isn't there any more: replaced meanwhile, or removed.
            Unavailable: Storage doesn't answer.
        """
        mode: PutMode = {"e_tag": etag} if etag else "overwrite"
        async with self._request("PutObject"):
            await obstore.put_async(self._store, key, content, attributes=dict(headers), mode=mode)

    async def remove(self, *keys: str) -> None:
        """Removes objects, up to a thousand by one request; it is no error if one is gone.

        Raises:
            Unavailable: Storage doesn't answer, or some are still there.
        """
        try:
            async with self._request("DeleteObjects"):
                await obstore.delete_async(self._store, keys)
        except ObjectMissing:
            pass

    async def page(self, prefix: str, after: str = "", count: int = 1000) -> Sequence[ListedObject]:
        """Up to `count` objects whose keys begin with `prefix` and follow `after`, in the order of keys.

        Raises:
            Unavailable: Storage doesn't answer.
        """
        async with self._request("ListObjectsV2"):
            pages = obstore.list(self._store, prefix, offset=after or None, chunk_size=count)
            async for page in pages:
                return [ListedObject(found["path"], found["last_modified"]) for found in page]
        return []

    async def write(self, key: str, pieces: AsyncIterator[bytes], content_type: str, file_name: str = "") -> None:
        """Stores what comes in pieces, of which a few megabytes are held at once.

        Args:
            key: Where.
            pieces: Its content.
            content_type: Its media type.
            file_name: How it is called by whoever saves it, in ASCII; empty: by its key.

        Raises:
            Unavailable: Storage doesn't answer.
            Exception: Whatever the pieces raise; nothing is stored then.
        """
        broken: list[Exception] = []

        async def watched() -> AsyncIterator[bytes]:
            try:
                async for piece in pieces:
                    yield piece
            except Exception as error:  # the library would make another one of it
                broken.append(error)
                raise

        try:
            async with self._request("CreateMultipartUpload"):
                attributes = {"Content-Type": content_type}
                if file_name:
                    attributes["Content-Disposition"] = f'attachment; filename="{file_name}"'
                await obstore.put_async(
                    self._store, key, watched(), attributes=attributes, chunk_size=_PART, max_concurrency=1
                )
        except Exception:
            if broken:
                raise broken[0] from None
            raise

    @asynccontextmanager
    async def _request(self, operation: str) -> AsyncIterator[None]:
        """Around one request and its whole answer."""
        async with self._place(operation):
            with _answering():
                yield

    @asynccontextmanager
    async def _place(self, operation: str) -> AsyncIterator[None]:
        # Without the key: whoever knows that of a clean photo can read it.
        with tracing.asking(f"S3/{operation}", {"rpc.system.name": "aws-api", "rpc.method": f"S3/{operation}"}):
            with _answering():
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await self._requests.acquire()
            try:
                yield
            finally:
                self._requests.release()


@contextmanager
def _answering() -> Iterator[None]:
    """Around what waits for storage. The library's errors quote addresses, so ours don't quote them."""
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing from error
    except (PreconditionError, AlreadyExistsError) as error:
        raise ObjectChanged from error
    except (BaseError, OSError) as error:
        raise Unavailable(Reason.UNAVAILABLE, retry_after=1.0, peer="s3") from error


async def _pieces(result: "GetResult") -> AsyncIterator[bytes]:
    """The content as it comes."""
    with _answering():
        async for piece in result.stream(min_chunk_size=_PIECE):
            yield piece


def _stored(result: "GetResult") -> StoredObject:
    # What HTTP itself has a header for is capitalised, metadata never is.
    metadata = {name: value for name, value in result.attributes.items() if name == name.lower()}
    content_type = result.attributes.get("Content-Type", "")
    return StoredObject(result.meta["size"], content_type, result.meta["e_tag"] or "", metadata)


def open_bucket(settings: StorageSettings, credentials: Credentials | None = None) -> Bucket:
    """The bucket of these settings; connections are made when they are first needed.

    Args:
        settings: Where it is.
        credentials: The keys to it; by default those of the settings.
    """
    lender = credentials or credentials_of(settings)

    async def credential() -> "S3Credential":
        keys = await lender.fresh()
        return {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret_key,
            "token": keys.token or None,
            "expires_at": keys.expires_at,
        }

    store = S3Store(
        settings.s3_bucket,
        # The library reads AWS_* as well. What is said here it takes from nowhere else: no token of somebody's own, no
        # other endpoint, no question to a metadata service.
        credential_provider=credential,
        aws_endpoint_url_s3=settings.s3_endpoint,
        region=settings.s3_region,
        virtual_hosted_style_request=False,
        skip_signature=False,
        conditional_put="etag",
        checksum_algorithm="SHA256",
        client_options=_CLIENT,
        retry_config=_RETRIES,
    )
    return Bucket(store)
