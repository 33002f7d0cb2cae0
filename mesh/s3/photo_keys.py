"""Where photos are in the bucket: an upload where nobody may read it, its clean copy where everybody may.

Both have the same name, which is their scan's id and the kind of file that was announced. A clip's frames are clean
copies of one scan, told apart by a number.
"""

import re

ORIGINALS = "uploads/"
"""Uploads as they came, with whatever phones write into them; removed as soon as their clean copy is stored."""
PUBLIC = "photos/"
"""Clean copies. The bucket's policy lets anybody read here, and nowhere else: `mesh.s3.prepare`."""

MOST_FRAMES = 10
"""How many frames of a clip may be photos of one scan."""

_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_ORIGINAL = re.compile(rf"{ORIGINALS}{_ID}\.[a-z0-9]{{3,4}}")
_PUBLIC = re.compile(rf"{PUBLIC}{_ID}(-\d)?\.[a-z]{{3,4}}")


def original_key(scan_id: str, extension: str) -> str:
    """Where a scan's photo is uploaded to."""
    return f"{ORIGINALS}{scan_id}.{extension}"


def frame_key(scan_id: str, number: int) -> str:
    """Where one of a clip's frames is stored, 0 to 9; the first is where the scan's own photo would be."""
    return f"{PUBLIC}{scan_id}-{number}.jpg" if number else f"{PUBLIC}{scan_id}.jpg"


def photo_keys(key: str) -> tuple[str, ...]:
    """All that may be stored of a scan whose photo has this key: upload and clean copy; of a clip all frames."""
    match = _PUBLIC.fullmatch(key)
    frames = [frame_key(match[1], number) for number in range(MOST_FRAMES)] if match else ()
    return tuple(dict.fromkeys((key, copy_key(key), *frames)))


def copy_key(key: str) -> str:
    """Where the clean copy of an upload is stored. What isn't among the uploads is where its copy is."""
    return PUBLIC + key.removeprefix(ORIGINALS) if key.startswith(ORIGINALS) else key


def uploaded_by(key: str) -> str | None:
    """The id of the scan whose upload has this key; None if it is no upload's."""
    match = _ORIGINAL.fullmatch(key)
    return match[1] if match else None


def is_public(key: str) -> bool:
    """Whether a scan's clean copy has this key."""
    return _PUBLIC.fullmatch(key) is not None
