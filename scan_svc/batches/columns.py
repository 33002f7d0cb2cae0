"""Which column of a sheet holds what: found by its name, wherever it stands and however it is spelled."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# The surest name first: where several columns have one of them, that of the first name counts.
_ADDRESS = (
    "사진주소", "사진url", "사진링크", "이미지주소", "이미지url", "이미지링크", "사진", "이미지",
    "photourl", "photoaddress", "photolink", "imageurl", "imageaddress", "imagelink", "pictureurl", "photo", "image",
    "picture", "url", "링크", "link",
)  # fmt: skip
_QUESTION = ("질문", "question", "userinput")
_REGION = ("지역", "region")
SHOWN = "사진 주소, photo_url, image_url, url"
"""The names that an error tells of."""

_HEADER_ROWS = 20
_IGNORED = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """The places of the columns, from 0.

    Attributes:
        header: The row that names them.
        address: The photo's address.
        question: What is asked; None if no column says.
        region: Where it is put out; None likewise.
    """

    header: int
    address: int
    question: int | None
    region: int | None


def find_columns(rows: Sequence[Sequence[str]]) -> Columns | None:
    """The columns that the first row names in which one is the photo's address; None if none of the first rows does.

    Args:
        rows: The sheet's first rows: titles may stand above the header.
    """
    for place, row in enumerate(rows[:_HEADER_ROWS]):
        names = [_plain(cell) for cell in row]
        address = _first(names, _ADDRESS)
        if address is not None:
            return Columns(place, address, _first(names, _QUESTION), _first(names, _REGION))
    return None


def _plain(name: str) -> str:
    """A name without case, width, blanks and signs."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", name).casefold())


def _first(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)
