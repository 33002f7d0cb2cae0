"""Files that users upload for jobs: a sheet of addresses, a zip of photos, a clip; each shows known numbers."""

import csv
import io
import random
import zipfile
from collections.abc import Sequence

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image

from tests.chaos.mesh.clients import photos
from tests.chaos.mesh.clients.model import MARK

# Users' photos have lower numbers. The step strews those of neighbours over the range, so that scenes differ.
_FIRST, _RANGE, _STEP = 20_000, 40_000, 9_973
_RATE = 10
_NO_ADDRESS = "아직 사진이 없어요"

HEADER = ("번호", "사진 주소", "질문")


def number(index: int) -> int:
    """The number of the photo that is taken as such a place in a run: nobody else's."""
    return _FIRST + index * _STEP % _RANGE


def sheet(shown: Sequence[int], rows: int, site: str, chance: random.Random) -> tuple[list[int | None], bytes]:
    """A CSV of addresses in which some come twice, and one row has none.

    Args:
        shown: Numbers of photos, fewer than rows.
        rows: How many rows there are.
        site: Where the photos are.
        chance: Decides the order.

    Returns:
        The number of the photo of each row, None of the broken one; and the file.
    """
    drawn: list[int | None] = [*shown, None, *chance.choices(shown, k=rows - len(shown) - 1)]
    chance.shuffle(drawn)
    file = io.StringIO()
    lines = csv.writer(file)
    lines.writerow(HEADER)
    for place, number in enumerate(drawn, 1):
        address = _NO_ADDRESS if number is None else f"{site}/photos/{number}.jpg"
        lines.writerow([place, address, "" if number is None else f"언제 내놓아요? {MARK}{number}"])
    return drawn, file.getvalue().encode("utf-8-sig")


def packed(shown: Sequence[int]) -> bytes:
    """A zip of photos."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in shown:
            archive.writestr(f"photos/{number}.jpg", photos.photo(number))
    return file.getvalue()


def clip(shown: Sequence[int]) -> bytes:
    """An MP4 that shows each photo for a second."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        track: VideoStream = out.add_stream("libx264", rate=_RATE, options={"preset": "ultrafast"})
        track.width, track.height, track.pix_fmt = photos.SIDE, photos.SIDE, "yuv420p"
        for number in shown:
            with Image.open(io.BytesIO(photos.photo(number))) as image:
                scene = np.asarray(image.convert("RGB"))
            for _ in range(_RATE):
                out.mux(track.encode(av.VideoFrame.from_ndarray(scene, format="rgb24")))
        out.mux(track.encode())
    return file.getvalue()
