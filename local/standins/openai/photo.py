"""How many things the stand-in takes a photo for: as many as squares fit side by side into it.

The photo isn't decoded, since that would cost more than the rest of a request: its shape stands in its first bytes.
"""

from base64 import b64decode

_BEGINNING = b"data:image/jpeg;base64,"
_LOOKED_AT = 4096  # characters; the shape of a photo without metadata stands in the first thousand
_START_OF_SCAN = 0xDA
_NOT_FRAMES = (0xC4, 0xC8, 0xCC)  # tables and an extension, among the markers of frames


def things_in(request: bytes, most: int) -> int:
    """How many things are in the photo of a request, 1 to `most`; 1 if it has no photo.

    Args:
        request: The request's body.
        most: At most so many.
    """
    start = request.find(_BEGINNING)
    if start < 0:
        return 1
    start += len(_BEGINNING)
    text = request[start : start + _LOOKED_AT].partition(b'"')[0]
    width, height = _shape(b64decode(text[: len(text) // 4 * 4]))
    return max(1, min(width // max(height, 1), most))


def _shape(jpeg: bytes) -> tuple[int, int]:
    """Width and height of a JPEG, by its beginning; zeros if they don't stand there."""
    place = 2
    while place + 9 <= len(jpeg) and jpeg[place + 1] != _START_OF_SCAN:
        marker = jpeg[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            height, width = (int.from_bytes(jpeg[at : at + 2]) for at in (place + 5, place + 7))
            return width, height
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    return 0, 0
