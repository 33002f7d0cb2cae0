"""Reads the items of a HEIF file: which is the primary one, and each one's kind, bytes, parts and properties.

ISO/IEC 23008-12 and 14496-12, as far as phones use them.
"""

from collections.abc import Iterator, Mapping, Sequence

_HEAD_BYTES, _LONG_HEAD_BYTES = 8, 16
_IN_FILE, _IN_META = 0, 1  # where an item's bytes are: counted from the file's beginning, or within the box `idat`
_PLACE_BYTES = (4, 8)

Properties = Sequence[tuple[bytes, bytes]]
"""Kind and content of each, in the order in which they apply."""


class Unusual(Exception):
    """The file isn't as phones write it, or damaged."""


class _Fields:
    """Numbers in a box, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def take(self, size: int) -> bytes:
        self._place += size
        if self._place > len(self._data):
            raise Unusual
        return self._data[self._place - size : self._place]

    def version(self) -> tuple[int, int]:
        """Version and flags, with which most boxes begin."""
        return self.number(1), self.number(3)

    @property
    def rest(self) -> bytes:
        return self._data[self._place :]


class Items:
    """The items of a file, by number.

    Args:
        content: The file.

    Attributes:
        primary: The primary picture's number.
        kinds: Each item's.
        parts: The items that an item is put together from, in order.
        properties: Each item's.

    Raises:
        Unusual: There are none, or they are described in another way.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._unread = len(content)
        meta = next((body for kind, body in _boxes(content) if kind == b"meta"), b"")
        boxes = dict(_boxes(meta[4:]))
        if not boxes.keys() >= {b"pitm", b"iinf", b"iloc", b"iprp"}:
            raise Unusual
        self._beside = boxes.get(b"idat", b"")
        self.primary = _primary(boxes[b"pitm"])
        self.kinds: Mapping[int, bytes] = dict(_kinds(boxes[b"iinf"]))
        self.parts: Mapping[int, Sequence[int]] = dict(_parts(boxes.get(b"iref", b"")))
        self.properties: Mapping[int, Properties] = dict(_properties(boxes[b"iprp"]))
        self._places = dict(_places(boxes[b"iloc"]))

    def data(self, item: int) -> bytes:
        """An item's bytes; all items together have no more than the file, else they would share some.

        Raises:
            Unusual: They lie beyond the file's end.
        """
        method, pieces = self._places[item]
        source = {_IN_FILE: self._content, _IN_META: self._beside}[method]
        self._unread -= sum(length for _, length in pieces)
        if self._unread < 0 or any(not length or place + length > len(source) for place, length in pieces):
            raise Unusual
        return b"".join(source[place : place + length] for place, length in pieces)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box."""
    place = 0
    while place + _HEAD_BYTES <= len(data):
        length, head = int.from_bytes(data[place : place + 4]), _HEAD_BYTES
        if length == 1:
            length, head = int.from_bytes(data[place + 8 : place + 16]), _LONG_HEAD_BYTES
        end = place + length if length else len(data)
        if end < place + head or end > len(data):
            raise Unusual
        yield data[place + 4 : place + 8], data[place + head : end]
        place = end


def _primary(box: bytes) -> int:
    fields = _Fields(box)
    version, _ = fields.version()
    return fields.number(4 if version else 2)


def _kinds(box: bytes) -> Iterator[tuple[int, bytes]]:
    fields = _Fields(box)
    version, _ = fields.version()
    fields.number(4 if version else 2)  # how many
    for _, body in _boxes(fields.rest):
        entry = _Fields(body)
        version, _ = entry.version()
        if version not in {2, 3}:
            raise Unusual
        number = entry.number(4 if version == 3 else 2)
        if entry.number(2):  # encrypted
            raise Unusual
        yield number, entry.take(4)


def _parts(box: bytes) -> Iterator[tuple[int, Sequence[int]]]:
    if not box:
        return
    fields = _Fields(box)
    version, _ = fields.version()
    width = 4 if version else 2
    for kind, body in _boxes(fields.rest):
        entry = _Fields(body)
        whole, count = entry.number(width), entry.number(2)
        if kind == b"dimg":
            yield whole, [entry.number(width) for _ in range(count)]


def _places(box: bytes) -> Iterator[tuple[int, tuple[int, Sequence[tuple[int, int]]]]]:
    """Each item's: where its bytes are counted from, then place and length of each piece."""
    fields = _Fields(box)
    version, _ = fields.version()
    sizes = fields.number(2)
    place_bytes, length_bytes, base_bytes, index_bytes = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    if place_bytes not in _PLACE_BYTES or length_bytes not in _PLACE_BYTES:
        raise Unusual
    for _ in range(fields.number(4 if version == 2 else 2)):
        number = fields.number(4 if version == 2 else 2)
        method = fields.number(2) & 15 if version else _IN_FILE
        if fields.number(2) or method not in {_IN_FILE, _IN_META}:  # in another file, or in another item
            raise Unusual
        base, pieces = fields.number(base_bytes), []
        for _ in range(fields.number(2)):
            fields.number(index_bytes if version else 0)
            pieces.append((base + fields.number(place_bytes), fields.number(length_bytes)))
        yield number, (method, pieces)


def _properties(box: bytes) -> Iterator[tuple[int, Properties]]:
    boxes = dict(_boxes(box))
    known = list(_boxes(boxes[b"ipco"]))
    fields = _Fields(boxes[b"ipma"])
    version, flags = fields.version()
    size, marks = (2, 0x7FFF) if flags & 1 else (1, 0x7F)
    for _ in range(fields.number(4)):
        number = fields.number(4 if version else 2)
        places = [fields.number(size) & marks for _ in range(fields.number(1))]
        yield number, [known[place - 1] for place in places if place]
