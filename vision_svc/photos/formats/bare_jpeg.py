"""Tells a JPEG that holds nothing but one picture: such a file may stay in storage as it came.

Strict where `vision_svc.photos.formats.jpeg` is tolerant: what isn't known to be part of the picture is something else.
"""

import re

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_FRAME, _SCAN, _JFIF = b"\xc0", b"\xda", b"\xe0"
# Baseline only, as browsers and phones' libraries write it: frame, Huffman and quantisation tables, restart interval.
_TABLES = frozenset({b"\xc4", b"\xdb", b"\xdd"})
_COLOURS = (b"\1", b"\3")  # components of a grey picture, and of one in colour; four are for printing
_JFIF_BYTES = 14
_NO_THUMBNAIL = bytes(2)
# Within packed pixels only stuffed zeros and restarts may follow 0xFF.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def is_bare(content: bytes) -> bool:
    """Whether every byte belongs to one picture that is packed in one scan, or to a JFIF header without thumbnail.

    Args:
        content: A file that a decoder has read without a complaint, so the segments are as long as their content.
    """
    if not content.startswith(_SOI):
        return False
    place, frames = len(_SOI), 0
    while content[place : place + 1] == b"\xff":
        kind, end = content[place + 1 : place + 2], place + 2 + int.from_bytes(content[place + 2 : place + 4])
        if kind == _SCAN:
            found = _SCAN_END.search(content, end)
            return frames == 1 and found is not None and content[found.start() :] == _EOI
        body = content[place + 4 : end]
        if kind == _FRAME and body[5:6] in _COLOURS:
            frames += 1
        elif kind not in _TABLES and not (kind == _JFIF and _is_jfif(body)):
            return False
        place = max(end, place + 2)
    return False


def _is_jfif(body: bytes) -> bool:
    return body.startswith(b"JFIF\0") and len(body) == _JFIF_BYTES and body.endswith(_NO_THUMBNAIL)
