"""Files that are small on the wire and large, slow or odd in a decoder. Made here, stored nowhere."""

import struct
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType

import numpy as np
import pillow_heif
from PIL import ExifTags, Image

_PNG = b"\x89PNG\r\n\x1a\n"


def _file(image: Image.Image, form: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _plain(width: int = 64, height: int = 64) -> Image.Image:
    return Image.new("RGB", (width, height), "teal")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *extra: bytes) -> bytes:
    """A black-and-white PNG of any size, squeezed into next to nothing."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return _PNG + _chunk(b"IHDR", header) + b"".join(extra) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg_with_size(width: int, height: int) -> bytes:
    """A JPEG whose header claims another size."""
    content = bytearray(_file(_plain(), "JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def jpeg_of_scans(scans: int) -> bytes:
    """A progressive JPEG of 36 megapixels that paints itself anew thousands of times, in a few hundred kilobytes."""
    side = 6000
    head = b"\xff\xd8" + _segment(0xDB, b"\0" + bytes([1] * 64))
    frame = _segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\0")
    table = _segment(0xC4, b"\x10" + bytes([0, 1] + [0] * 14) + b"\xe0")  # one code: end of band, 2^14 blocks
    blocks = (side // 8) ** 2
    runs = -(-blocks // (1 << 14))
    scan = _segment(0xDA, b"\x01\x01\0\x01\x3f\0") + b"\0\0" * runs
    return head + frame + table + scan * scans + b"\xff\xd9"


def webp_of(width: int, height: int) -> bytes:
    """One colour, lossless: some kilobytes for any number of pixels."""
    return _file(Image.new("RGB", (width, height)), "WEBP", lossless=True, method=0)


def _heic() -> bytes:
    file = BytesIO()
    pillow_heif.from_pillow(_plain(256, 256)).save(file)
    return file.getvalue()


def heic_with_size(width: int, height: int) -> bytes:
    """A HEIC whose container claims another size."""
    content = bytearray(_heic())
    size = content.index(b"ispe") + 8
    content[size : size + 8] = struct.pack(">II", width, height)
    return bytes(content)


def heic_of_boxes() -> bytes:
    """Boxes in boxes in boxes."""
    box = b""
    for _ in range(5000):
        box = struct.pack(">I", len(box) + 12) + b"meta\0\0\0\0" + box
    return _heic()[:28] + box


def jpeg_with_deep_exif() -> bytes:
    """An EXIF directory that points to itself."""
    directory = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    return _file(_plain(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0" + directory)


def jpeg_with_profile(size: int) -> bytes:
    """A colour profile of megabytes that is none."""
    return _file(_plain(), "JPEG", icc_profile=bytes(128) + b"\xff" * size)


def png_with_text(size: int) -> bytes:
    """A compressed text of hundreds of megabytes."""
    packer = zlib.compressobj(9)
    text = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()
    return png(64, 64, _chunk(b"zTXt", b"bomb\0\0" + text))


def png_with_profile(size: int) -> bytes:
    """A compressed colour profile of hundreds of megabytes."""
    packer = zlib.compressobj(9)
    profile = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()
    return png(64, 64, _chunk(b"iCCP", b"bomb\0\0" + profile))


def polyglot() -> bytes:
    """A GIF that is a script, with a JPEG behind it."""
    return b"GIF89a/*" + _file(_plain(), "JPEG") + b"*/=1;"


def jpeg() -> bytes:
    """A whole JPEG and nothing else."""
    return _file(_plain(), "JPEG")


def jpeg_and_zip() -> bytes:
    """A whole JPEG with an archive behind it."""
    return jpeg() + b"PK\x03\x04" + bytes(1000)


def gps() -> Image.Exif:
    """Where somebody lives."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (37.0, 33.0, 58.0)
    return exif


def noise(form: str) -> bytes:
    """A picture that can't be squeezed."""
    return _file(Image.fromarray(np.random.default_rng(1).integers(0, 255, (600, 800, 3), np.uint8)), form)


# Each with the reason it ends with; none where it is a photo all the same.
BOMBS: Mapping[str, tuple[Callable[[], bytes], str]] = MappingProxyType(
    {
        "a PNG of 100 megapixels": (lambda: png(10_000, 10_000), "PHOTO_TOO_LARGE"),
        "a PNG of 4 billion pixels a side": (lambda: png(0x7FFFFFFF, 0), "PHOTO_TOO_LARGE"),
        "a JPEG of 60,000 x 1": (lambda: jpeg_with_size(60_000, 1), "PHOTO_TOO_LARGE"),
        "a JPEG that claims 4 gigapixels": (lambda: jpeg_with_size(65_500, 65_500), "PHOTO_TOO_LARGE"),
        "a JPEG that claims 49 megapixels": (lambda: jpeg_with_size(7_000, 7_000), "PHOTO_TRUNCATED"),
        "a JPEG of 20,000 scans": (lambda: jpeg_of_scans(20_000), "PHOTO_TOO_COMPLEX"),
        "a WEBP of 100 megapixels": (lambda: webp_of(10_000, 10_000), "PHOTO_TOO_LARGE"),
        "a WEBP of 49 megapixels": (lambda: webp_of(7_000, 7_000), "PHOTO_TOO_LARGE"),
        "a HEIC that claims 4 gigapixels": (lambda: heic_with_size(65_000, 65_000), "PHOTO_TOO_LARGE"),
        "a HEIC that claims 49 megapixels": (lambda: heic_with_size(7_000, 7_000), "PHOTO_UNREADABLE"),
        "a HEIC of boxes in boxes": (heic_of_boxes, "PHOTO_UNREADABLE"),
        "EXIF that points to itself": (jpeg_with_deep_exif, ""),
        "a colour profile of 8 MB": (lambda: jpeg_with_profile(8_000_000), ""),
        "a compressed text of 300 MB": (lambda: png_with_text(300 << 20), ""),
        "a compressed profile of 300 MB": (lambda: png_with_profile(300 << 20), ""),
        "a GIF with a JPEG behind it": (polyglot, "PHOTO_FORMAT"),
        "a JPEG with an archive behind it": (jpeg_and_zip, ""),
        "a TIFF by another name": (lambda: _file(_plain(), "TIFF"), "PHOTO_FORMAT"),
        "a truncated PNG": (lambda: noise("PNG")[:200_000], "PHOTO_TRUNCATED"),
        "a truncated JPEG": (lambda: noise("JPEG")[:100_000], "PHOTO_TRUNCATED"),
        "a truncated HEIC": (lambda: _heic()[:-50], "PHOTO_TRUNCATED"),
        "a truncated WEBP": (lambda: noise("WEBP")[:100_000], "PHOTO_TRUNCATED"),
    }
)
