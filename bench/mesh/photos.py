"""Photos, each another one: Vision answers a photo it has seen before from its cache, without the model."""

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import pillow_heif
from PIL import ExifTags, Image
from pydantic import SecretStr

from bench.mesh.http1 import Connection, encode
from bench.mesh.stack import Stack
from mesh.s3.presigned import PresignedUploads
from mesh.s3.settings import StorageSettings

SIDE = 256  # pixels
_BLOCK = 16
_CONNECTIONS = 16
_QUALITY = 80
_VALID_SECONDS = 3600
_SUFFIXES = {"jpeg": "jpg", "heic": "heic"}

_PHONE_SIZE = (4032, 3024)
_PHONE_QUALITY, _HEIC_QUALITY = 85, 60
_NOISE = 6  # of 255
_CORNER = 1024  # pixels
_ORIENTATION, _MAKE, _MODEL = ExifTags.Base.Orientation, ExifTags.Base.Make, ExifTags.Base.Model
_TURNED = 6  # the camera was held upright
_SEOUL = {1: "N", 2: (37.0, 33.0, 59.0), 3: "E", 4: (126.0, 58.0, 41.0)}

Draw = Callable[[int, int], Iterator[bytes]]


def photos(count: int, seed: int) -> Iterator[bytes]:
    """So many JPEGs of coloured squares, about 5 kB each, no two alike."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        squares = random.integers(0, 256, (SIDE // _BLOCK, SIDE // _BLOCK, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(squares.repeat(_BLOCK, 0).repeat(_BLOCK, 1)).save(file, "JPEG", quality=_QUALITY)
        yield file.getvalue()


def phone_photos(count: int, seed: int) -> Iterator[bytes]:
    """So many JPEGs of 12 megapixels as phones take them: on their side, and saying so in EXIF; about 3 MB each."""
    for image in _phone_pictures(count, seed):
        exif = Image.Exif()
        exif[_ORIENTATION], exif[_MAKE], exif[_MODEL] = _TURNED, "Bench", "Phone"
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(_SEOUL)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=_PHONE_QUALITY, exif=exif)
        yield file.getvalue()


def phone_heics(count: int, seed: int) -> Iterator[bytes]:
    """The same in HEIC, as iPhones take them. Encoding one takes seconds."""
    for image in _phone_pictures(count, seed):
        file = io.BytesIO()
        pillow_heif.from_pillow(image).save(file, quality=_HEIC_QUALITY)
        yield file.getvalue()


def _phone_pictures(count: int, seed: int) -> Iterator[Image.Image]:
    """scikit-learn's flower with a sensor's noise; coloured squares in a corner make each another one."""
    from sklearn.datasets import load_sample_image  # brings SciPy: two seconds that only these pictures need

    random = np.random.default_rng(seed)
    flower = Image.fromarray(load_sample_image("flower.jpg")).resize(_PHONE_SIZE)
    noise = random.integers(-_NOISE, _NOISE + 1, (_PHONE_SIZE[1], _PHONE_SIZE[0], 1), np.int16)
    image = Image.fromarray((np.asarray(flower) + noise).clip(0, 255).astype(np.uint8))
    for _ in range(count):
        squares = Image.fromarray(random.integers(0, 256, (_BLOCK, _BLOCK, 3), dtype=np.uint8))
        image.paste(squares.resize((_CORNER, _CORNER), Image.Resampling.NEAREST))
        yield image


async def stored(stack: Stack, count: int, seed: int = 1, draw: Draw = photos, form: str = "jpeg") -> Sequence[str]:
    """Puts so many photos into storage, as if they had been uploaded before; returns their addresses.

    Args:
        stack: Whose storage.
        count: How many.
        seed: Other photos for another one.
        draw: What makes them.
        form: "jpeg" or "heic".
    """
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
    puts = [_put(settings.cdn_base_url, presigned, photo, form) for photo in draw(count, seed)]
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


def _put(cdn_base_url: str, presigned: PresignedUploads, photo: bytes, form: str) -> tuple[str, bytes]:
    """The address a photo will have, and the request that puts it there."""
    key = f"photos/{uuid4()}.{_SUFFIXES[form]}"
    headers = {"content-type": f"image/{form}"}
    url = urlsplit(presigned.address(key, headers, _VALID_SECONDS))
    request = encode("PUT", f"{url.path}?{url.query}", url.netloc, headers, photo)
    return f"{cdn_base_url}/{key}", request
