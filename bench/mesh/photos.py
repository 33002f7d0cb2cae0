"""Photos, each another one: Vision answers a photo it has seen before from its cache, without the model."""

import asyncio
import io
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
from PIL import Image
from pydantic import SecretStr

from bench.mesh.http1 import Connection, encode
from bench.mesh.stack import Stack
from mesh.s3.presigned import PresignedUploads
from mesh.s3.settings import StorageSettings

SIDE = 256  # pixels; cleaning photos of 12 megapixels is measured apart
_BLOCK = 16
_CONNECTIONS = 16
_QUALITY = 80
_VALID_SECONDS = 3600


def photos(count: int, seed: int) -> Iterator[bytes]:
    """So many JPEGs of coloured squares, about 5 kB each, no two alike."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        squares = random.integers(0, 256, (SIDE // _BLOCK, SIDE // _BLOCK, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(squares.repeat(_BLOCK, 0).repeat(_BLOCK, 1)).save(file, "JPEG", quality=_QUALITY)
        yield file.getvalue()


async def stored(stack: Stack, count: int, seed: int = 1) -> Sequence[str]:
    """Puts so many photos into storage, as if they had been uploaded before; returns their addresses."""
    variables = stack.variables
    settings = StorageSettings(
        s3_endpoint=variables["ECO2_S3_ENDPOINT"],
        s3_bucket=variables["ECO2_S3_BUCKET"],
        s3_region=variables["ECO2_S3_REGION"],
        s3_access_key=SecretStr(variables["ECO2_S3_ACCESS_KEY"]),
        s3_secret_key=SecretStr(variables["ECO2_S3_SECRET_KEY"]),
        cdn_base_url=variables["ECO2_CDN_BASE_URL"],
    )
    presigned = PresignedUploads(settings)
    puts = [_put(settings.cdn_base_url, presigned, photo) for photo in photos(count, seed)]
    addresses = [address for address, _ in puts]
    requests = iter(puts)

    async def send() -> None:
        connection = await Connection.open(variables["ECO2_S3_ENDPOINT"])
        for address, request in requests:
            if (reply := await connection.send(request)).status != 200:
                raise OSError(f"PUT {address}: HTTP {reply.status}")
        connection.close()

    await asyncio.gather(*(send() for _ in range(_CONNECTIONS)))
    return addresses


def _put(cdn_base_url: str, presigned: PresignedUploads, photo: bytes) -> tuple[str, bytes]:
    """The address a photo will have, and the request that puts it there."""
    key = f"photos/{uuid4()}.jpg"
    headers = {"content-type": "image/jpeg"}
    url = urlsplit(presigned.address(key, headers, _VALID_SECONDS))
    request = encode("PUT", f"{url.path}?{url.query}", url.netloc, headers, photo)
    return f"{cdn_base_url}/{key}", request
