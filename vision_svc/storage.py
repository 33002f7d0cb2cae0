"""Photos in our own bucket."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mesh.errors import EcoError, NotFound, Reason, Unavailable
from vision_svc.photos import demand_size
from vision_svc.settings import VisionSettings
from vision_svc.spool import Spool

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONNECT_SECONDS = 3
_READ_SECONDS = 10  # between two pieces, not for the whole
_THREADS = 8
_PIECE_BYTES = 256 * 1024


class PhotoStorage:
    """Reads objects whole, in threads, since boto3 blocks.

    Args:
        client: Safe to share between threads.
        bucket: Ours.
        threads: As many as there may be downloads at once.
    """

    def __init__(self, client: "S3Client", bucket: str, threads: ThreadPoolExecutor) -> None:
        self._client = client
        self._bucket = bucket
        self._threads = threads

    async def load(self, address: str, into: Spool) -> None:
        """Loads the photo with this object key.

        Raises:
            NotFound: PHOTO_NOT_FOUND.
            InvalidArgument: PHOTO_EMPTY or PHOTO_TOO_LARGE, told by its length before it is read.
            Unavailable: The storage doesn't answer.
        """
        await asyncio.get_running_loop().run_in_executor(self._threads, self._read, address, into)

    async def probe(self) -> None:
        """Asks for the bucket; raises if it can't be reached."""
        await asyncio.to_thread(self._client.head_bucket, Bucket=self._bucket)

    def _read(self, key: str, into: Spool) -> None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            with closing(found["Body"]) as body:
                demand_size(found["ContentLength"])
                for piece in body.iter_chunks(_PIECE_BYTES):
                    into.write(piece)
        except (ClientError, BotoCoreError) as error:
            raise _explained(error, key) from error


def _explained(error: Exception, key: str) -> EcoError:
    if isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
        return NotFound(Reason.PHOTO_NOT_FOUND, object_key=key)
    return Unavailable(Reason.UNAVAILABLE, retry_after=1.0, peer="s3")


@asynccontextmanager
async def open_storage(settings: VisionSettings) -> AsyncIterator[PhotoStorage]:
    """The bucket of these settings; connections are made when they are first needed, and closed at exit."""
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=_THREADS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        s3={"addressing_style": "path"},
    )
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        config=config,
    )
    with ThreadPoolExecutor(_THREADS, "s3") as threads:
        try:
            yield PhotoStorage(client, settings.s3_bucket, threads)
        finally:
            client.close()
