"""Reads a photo's orientation from EXIF or XMP.

Viewers show a picture upright as long as the orientation itself can be read, whatever is damaged around it, and
whatever type the writer gave it. So only the first directory is read, entry by entry, and nothing here raises.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType

UPRIGHT = 1

_TAG = 0x0112
_ENTRY_BYTES = 12
_INLINE_BYTES = 4
_PREFIX = b"Exif\0"  # and a fill byte
_SHORT = "H"
# EXIF's types by number: BYTE, ASCII, SHORT, LONG, RATIONAL (its numerator), SBYTE, UNDEFINED, SSHORT, SLONG,
# SRATIONAL, FLOAT, DOUBLE.
_TYPES: Mapping[int, str] = MappingProxyType(
    {1: "B", 2: "c", 3: _SHORT, 4: "L", 5: "LL", 6: "b", 7: "B", 8: "h", 9: "l", 10: "ll", 11: "f", 12: "d"}
)
_XMP = re.compile(rb"""tiff:Orientation(?:\s*=\s*["']|>)\s*([1-8])""")


def orientation(exif: bytes, xmp: bytes = b"") -> int:
    """The orientation, 1 to 8; 1 (upright) where none can be read.

    Args:
        exif: An EXIF block, with or without its "Exif" prefix; it may be damaged, and empty.
        xmp: An XMP packet; asked where EXIF says nothing, as macOS turns PNG files by it alone.
    """
    found = next(_orientations(exif[6:] if exif.startswith(_PREFIX) else exif), None)
    if found is None and (match := _XMP.search(xmp)):
        found = int(match[1])
    return found or UPRIGHT


def _orientations(block: bytes) -> Iterator[int]:
    """The orientations in the first directory, in order."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return
    try:
        (directory,) = struct.unpack_from(order + "L", block, 4)
        (count,) = struct.unpack_from(order + "H", block, directory)
        for place in range(directory + 2, directory + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
            tag, kind, values = struct.unpack_from(order + "HHL", block, place)
            if tag == _TAG and (value := _value(block, order, place + 8, kind, values)):
                yield value
    except struct.error:  # the block ends here
        return


def _value(block: bytes, order: str, place: int, kind: int, count: int) -> int | None:
    """An entry's value by its type, or else as the SHORT it should have been; None if neither is an orientation.

    Args:
        block: The EXIF block.
        order: Its byte order, as `struct` writes it.
        place: Where the entry's four bytes of value, or of the place of its value, are.
        kind: The entry's type.
        count: How many values it says it has.
    """
    form = order + _TYPES.get(kind, _SHORT)
    places = [place]
    if struct.calcsize(form) * count > _INLINE_BYTES:
        places[:0] = struct.unpack_from(order + "L", block, place)
    for one, as_ in ((places[0], form), (place, order + _SHORT)):
        try:
            value = int(struct.unpack_from(as_, block, one)[0])
        except (struct.error, ValueError, OverflowError):
            continue
        if 1 <= value <= 8:
            return value
    return None
