"""Photos, each another one: Vision answers a photo it has seen before from its cache, without the model."""

import asyncio
import io
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
from PIL import Image

from bench.mesh.http1 import Connection, encode
from bench.mesh.stack import Stack
from mesh.storage import Signer

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
    signer = Signer(variables["ECO2_S3_ACCESS_KEY"], variables["ECO2_S3_SECRET_KEY"], variables["ECO2_S3_REGION"])
    puts = [_put(stack, signer, photo) for photo in photos(count, seed)]
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


def _put(stack: Stack, signer: Signer, photo: bytes) -> tuple[str, bytes]:
    """The address a photo will have, and the request that puts it there."""
    key = f"photos/{uuid4()}.jpg"
    address = f"{stack.variables['ECO2_S3_ENDPOINT']}/{stack.variables['ECO2_S3_BUCKET']}/{key}"
    headers = {"content-type": "image/jpeg"}
    url = urlsplit(signer.address("PUT", address, headers, _VALID_SECONDS))
    request = encode("PUT", f"{url.path}?{url.query}", url.netloc, headers, photo)
    return f"{stack.variables['ECO2_CDN_BASE_URL']}/{key}", request
