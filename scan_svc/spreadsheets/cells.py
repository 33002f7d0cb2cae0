"""Text in cells: what XML and spreadsheets can hold, and nothing that a spreadsheet would work out.

A cell of a CSV file has no type: what looks like a formula is one. An XLSX file says of each cell that it is text, but
whoever edits it, or saves it as CSV, makes it a formula again.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable

MOST_UNITS = 32_767
"""UTF-16 units that a cell holds; spreadsheets call a file with more of them broken."""

_ELLIPSIS = "…"
# XML 1.0 has no place for them, not even escaped; of those beyond, DEL and C1 are never meant.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# With the wide ones, which a Korean or Japanese spreadsheet reads as the others.
_STARTS = frozenset("=+-@＝＋－＠")
_BREAKS = frozenset("\t\r\n")
# Blanks, and what has no shape: passed over by some readers before they look for a formula.
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cf", "Cc"})


def writable(text: str) -> str:
    """The text without what a cell can't hold; one that is too long is cut, and ends with an ellipsis."""
    text = _UNWRITABLE.sub("", text)
    if len(text) * 2 <= MOST_UNITS or _units(text) <= MOST_UNITS:
        return text
    cut = text.encode("utf-16-le")[: 2 * (MOST_UNITS - 1)]
    return cut.decode("utf-16-le", "ignore") + _ELLIPSIS  # half of a pair goes


def like_formula(text: str) -> bool:
    """Whether a spreadsheet may take the text for a formula, be it after blanks and signs that nobody sees."""
    seen = next((sign for sign in text if unicodedata.category(sign) not in _UNSEEN), "")
    return seen in _STARTS or text[:1] in _BREAKS


def csv_row(cells: Iterable[object]) -> bytes:
    """One row of a CSV file in UTF-8; a text that looks like a formula is preceded by an apostrophe."""
    line = io.StringIO()
    csv.writer(line).writerow([_inert(cell) if isinstance(cell, str) else cell for cell in cells])
    return line.getvalue().encode()


def _inert(text: str) -> str:
    text = writable(text)
    return f"'{text}"[:MOST_UNITS] if like_formula(text) else text


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
