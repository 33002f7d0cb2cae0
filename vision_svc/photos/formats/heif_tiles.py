"""Finds the primary picture of a HEIF file as phones write it: one HEVC picture, or a grid of HEVC tiles of one size.

Anything else is left to libheif, which knows all of the standard and says what is wrong with a broken file.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from vision_svc.photos.formats.heif_items import Items, Properties, Unusual

_HEVC, _GRID = b"hvc1", b"grid"
_TURNS = {b"irot": 3, b"imir": 1}  # by kind, the bits that count
# Properties that don't change the picture, or are looked at here.
_KNOWN = _TURNS.keys() | {b"hvcC", b"ispe", b"colr", b"pixi", b"pasp", b"clli", b"mdcv", b"udes"}


@dataclass(frozen=True, slots=True)
class Tiles:
    """A picture, packed.

    Attributes:
        size: Width and height, in pixels, before it is turned.
        tile: Width and height of each tile; they stand in rows from the top left, and may reach beyond the picture.
        columns: Tiles in a row.
        setup: HEVC's parameter sets, the same for all tiles, as `hvcC` has them.
        packed: The tiles.
        colours: Matrix as ISO/IEC 23091-2 numbers it, and whether the full range is used; None if only the tiles tell.
        turns: `irot` and `imir`, each with its number, in the order in which they are to be done.
    """

    size: tuple[int, int]
    tile: tuple[int, int]
    columns: int
    setup: bytes
    packed: Sequence[bytes]
    colours: tuple[int, bool] | None
    turns: Sequence[tuple[bytes, int]]


def primary_tiles(content: bytes) -> Tiles:
    """The primary picture's.

    Args:
        content: The file.

    Raises:
        Unusual: It is something else, or damaged.
    """
    try:
        return _tiles(Items(content))
    except (struct.error, LookupError) as error:
        raise Unusual from error


def _tiles(items: Items) -> Tiles:
    whole = items.properties[items.primary]
    if items.kinds[items.primary] == _GRID:
        rows, columns, size = _grid(items.data(items.primary))
        parts = items.parts[items.primary]
    else:
        rows, columns, size, parts = 1, 1, _size(whole), [items.primary]
    each = [items.properties[part] for part in parts]
    first = dict(each[0])
    tile = _size(each[0])
    if len(parts) != rows * columns or not (_fit(tile[0], columns, size[0]) and _fit(tile[1], rows, size[1])):
        raise Unusual
    if any(items.kinds[part] != _HEVC for part in parts) or not all(_known(one) for one in (whole, *each)):
        raise Unusual
    if any(_size(one) != tile or dict(one)[b"hvcC"] != first[b"hvcC"] for one in each):
        raise Unusual
    if each[0] is not whole and any(kind in _TURNS for one in each for kind, _ in one):
        raise Unusual
    return Tiles(
        size=size,
        tile=tile,
        columns=columns,
        setup=first[b"hvcC"],
        packed=[items.data(part) for part in parts],
        colours=_colours(whole) or _colours(each[0]),
        turns=[(kind, body[0] & _TURNS[kind]) for kind, body in whole if kind in _TURNS],
    )


def _known(properties: Properties) -> bool:
    return all(kind in _KNOWN for kind, _ in properties)


def _fit(tile: int, count: int, length: int) -> bool:
    """Whether so many tiles in a line cover a side, none lies beyond it, and their halved colours meet at the edges."""
    return (count - 1) * tile < length <= count * tile and (count == 1 or not tile % 2)


def _size(properties: Properties) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", dict(properties)[b"ispe"], 4)
    return int(width), int(height)


def _grid(data: bytes) -> tuple[int, int, tuple[int, int]]:
    """Rows, columns, and the size of the whole."""
    width, height = struct.unpack_from(">II" if data[1] & 1 else ">HH", data, 4)
    return data[2] + 1, data[3] + 1, (int(width), int(height))


def _colours(properties: Properties) -> tuple[int, bool] | None:
    body = next((body for kind, body in properties if kind == b"colr" and body.startswith(b"nclx")), None)
    return None if body is None else (int.from_bytes(body[8:10]), body[10] >= 0x80)
