"""Cells: no text is worked out as a formula, breaks the file or is more than a cell holds."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_svc.spreadsheets.cells import MOST_UNITS, csv_row, like_formula, writable

STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
# Blanks and signs without a shape that some readers pass over.
UNSEEN = ("", " ", "\t", "\r", "\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2028", "\u202e", "\x01", " \u200b\t")


@pytest.mark.parametrize("start", STARTS, ids=ascii)
@pytest.mark.parametrize("before", UNSEEN, ids=ascii)
def test_what_may_be_a_formula_is_seen(before: str, start: str) -> None:
    """However it begins: wide signs and blanks before it included."""
    text = f"{before}{start}HYPERLINK(A1)"
    assert like_formula(text)
    (cell,) = next(csv.reader(io.StringIO(csv_row([text]).decode(), newline="")))
    assert cell.startswith("'")


@pytest.mark.parametrize("text", ["", "상자예요", "2+2=4", "a@b.kr", "1-2", "'=1", "́"], ids=ascii)
def test_other_text_stays_as_it_is(text: str) -> None:
    """A sign in the middle is no start."""
    assert not like_formula(text)
    assert csv_row([text, ""]) == f"{text},\r\n".encode()


def test_numbers_are_no_formulas() -> None:
    """A latitude in the south stays a number."""
    assert csv_row([-37.5, 12]) == b"-37.5,12\r\n"


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_is_written_can_be_encoded_and_is_read_as_one_row(text: str) -> None:
    """Surrogates that belong to nothing, control characters, separators and quotes among it."""
    read = list(csv.reader(io.StringIO(csv_row([text, "next"]).decode(), newline=""), strict=True))
    assert len(read) == 1
    assert read[0][1] == "next"
    assert read[0][0].removeprefix("'") == writable(text).removeprefix("'")


@pytest.mark.parametrize("sign", ["가", "😀", "́"], ids=ascii)
@pytest.mark.parametrize("extra", [-1, 0, 1, 7])
def test_a_cell_holds_so_much(sign: str, extra: int) -> None:
    """Counted as spreadsheets do, in UTF-16: an emoji is two, and never cut in half."""
    each = len(sign.encode("utf-16-le")) // 2
    text = sign * (MOST_UNITS // each + extra)
    cut = writable(text)
    assert len(cut.encode("utf-16-le")) // 2 <= MOST_UNITS
    if extra <= 0:
        assert cut == text
    else:
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])
        assert len(cut.encode("utf-16-le")) // 2 >= MOST_UNITS - 1


def test_a_long_formula_is_inert_and_fits() -> None:
    """The apostrophe counts, too."""
    (cell,) = next(csv.reader(io.StringIO(csv_row(["=" * (MOST_UNITS + 9)]).decode(), newline="")))
    assert cell.startswith("'=")
    assert len(cell) == MOST_UNITS
