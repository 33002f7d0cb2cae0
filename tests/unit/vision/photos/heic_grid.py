"""Writes a HEIC as phones do: a grid of tiles, which no encoder at hand writes."""

import struct
from collections.abc import Sequence
from io import BytesIO

import pillow_heif
from PIL import Image

_FULL_BT601 = b"nclx" + struct.pack(">HHH", 1, 13, 6) + b"\x80"


def heic_grid(
    picture: Image.Image,
    tile: int,
    *,
    turns: Sequence[bytes] = (),
    more: Sequence[bytes] = (),
    sharing: bool = False,
    size: tuple[int, int] | None = None,
) -> bytes:
    """A picture in tiles; the last column and row may reach beyond it.

    Args:
        picture: In RGB.
        tile: Width and height of a tile, in pixels.
        turns: `irot` and `imir` boxes.
        more: Other properties of the whole.
        sharing: Whether all tiles are the first one's bytes.
        size: What the container says of the picture; its own by default.
    """
    columns, rows = -(-picture.width // tile), -(-picture.height // tile)
    tiles = [
        _packed(picture.crop((x * tile, y * tile, (x + 1) * tile, (y + 1) * tile)))
        for y in range(rows)
        for x in range(columns)
    ]
    setup = tiles[0][0]
    assert all(one == setup for one, _ in tiles)
    width, height = size or picture.size
    grid = bytes((0, 0, rows - 1, columns - 1)) + struct.pack(">HH", width, height)
    numbers = range(2, 2 + len(tiles))
    kinds = [_full(b"infe", struct.pack(">HH4sB", 1, 0, b"grid", 0), 2)]
    kinds += [_full(b"infe", struct.pack(">HH4sB", number, 0, b"hvc1", 0), 2, 1) for number in numbers]
    properties = [setup, _full(b"ispe", struct.pack(">II", tile, tile)), _box(b"colr", _FULL_BT601)]
    properties += [_full(b"ispe", struct.pack(">II", width, height)), *more, *turns]
    owned = [(1, range(4, len(properties) + 1))] + [(number, range(1, 4)) for number in numbers]
    links = b"".join(struct.pack(">HB", item, len(which)) + bytes(0x80 | one for one in which) for item, which in owned)
    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    data = [packed for _, packed in tiles]
    kept = data[:1] if sharing else data
    for start in (0, len(head) + len(_meta(kinds, properties, links, grid, len(tiles), _places(0, data, sharing))) + 8):
        meta = _meta(kinds, properties, links, grid, len(tiles), _places(start, data, sharing))
    return head + meta + _box(b"mdat", b"".join(kept))


def _packed(tile: Image.Image) -> tuple[bytes, bytes]:
    """A tile's parameter sets, as a box, and its packed pixels."""
    file = BytesIO()
    pillow_heif.from_pillow(tile).save(file, quality=80, enc_params={"preset": "ultrafast"})
    content = file.getvalue()
    setup, data = content.index(b"hvcC") - 4, content.index(b"mdat") - 4
    setup_bytes, data_bytes = (int.from_bytes(content[place : place + 4]) for place in (setup, data))
    return content[setup : setup + setup_bytes], content[data + 8 : data + data_bytes]


def _places(start: int, data: Sequence[bytes], sharing: bool) -> bytes:
    places = b""
    for number, one in enumerate(data, 2):
        place, length = (start, len(data[0])) if sharing else (start, len(one))
        places += struct.pack(">HHHHII", number, 0, 0, 1, place, length)
        start += 0 if sharing else len(one)
    return places


def _meta(
    kinds: Sequence[bytes], properties: Sequence[bytes], links: bytes, grid: bytes, tiles: int, places: bytes
) -> bytes:
    located = struct.pack(">HHHHHHII", 0x4400, tiles + 1, 1, 1, 0, 1, 0, len(grid)) + places
    dimg = _box(b"dimg", struct.pack(f">HH{tiles}H", 1, tiles, *range(2, 2 + tiles)))
    inside = (
        _full(b"hdlr", bytes(4) + b"pict" + bytes(13)),
        _full(b"pitm", struct.pack(">H", 1)),
        _full(b"iloc", located, 1),
        _full(b"iinf", struct.pack(">H", len(kinds)) + b"".join(kinds)),
        _full(b"iref", dimg),
        _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full(b"ipma", struct.pack(">I", tiles + 1) + links)),
        _box(b"idat", grid),
    )
    return _full(b"meta", b"".join(inside))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _full(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, bytes((version,)) + flags.to_bytes(3) + content)


def turned(quarters: int) -> bytes:
    """The property that turns a picture by quarters, counter-clockwise."""
    return _box(b"irot", bytes((quarters,)))


def mirrored(axis: int) -> bytes:
    """The property that mirrors a picture."""
    return _box(b"imir", bytes((axis,)))


def cut_out(width: int, height: int) -> bytes:
    """The property that leaves only the middle of a picture."""
    return _box(b"clap", struct.pack(">IIIIIIII", width, 1, height, 1, 0, 1, 0, 1))
