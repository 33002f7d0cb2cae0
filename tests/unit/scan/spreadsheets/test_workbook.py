"""The XLSX writer: what is written is read again by another library, and by the rules of XML."""

import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image

from scan_svc.spreadsheets import workbook
from scan_svc.spreadsheets.workbook import Cell, Column, Link, Workbook

MOMENT = datetime(2026, 11, 30, 3, 4, 5, tzinfo=UTC)
COLUMNS = (Column("무엇", 20), Column("언제", 20, "yyyy-mm-dd hh:mm"), Column("얼마", 10, "0%"))
HOSTILE = (
    "=1+1", '=HYPERLINK("https://x.example","y")', "{=1+1}", "+82 10", "-1", "@SUM(A1)", "＝1＋1", "\t=1",
    "\r\n=cmd|' /C calc'!A0", "a\x00b\x1bc\ud800\udfffd\ufffe\uffffe", "_x0041_ _x000D_", "<b>&amp;</b>]]>",
    "https://x.example", "mailto:a@b.kr", "internal:Sheet1!A1", "file:///etc/passwd", " 앞뒤 ", "줄\n바꿈\r끝",
    "😀" * 20_000,
)  # fmt: skip


def written(folder: Path, rows: Sequence[Sequence[Cell]], *, pictures: Sequence[Path | None] = ()) -> Path:
    path = folder / "table.xlsx"
    file = Workbook(path, folder, "기록", COLUMNS, MOMENT, "사진" if pictures else "")
    for number, cells in enumerate(rows):
        file.append(cells, pictures[number] if pictures else None)
    file.close()
    with zipfile.ZipFile(path) as parts:
        for name in parts.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(parts.read(name))
    return path


def read(path: Path) -> Worksheet:
    sheet = openpyxl.load_workbook(path).active
    assert isinstance(sheet, Worksheet)
    return sheet


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_text_stays_text(tmp_path: Path, text: str) -> None:
    """Whoever opens the file: no formula, no link, and what XML can't hold is left out."""
    cell = read(written(tmp_path, [[text, None, None]]))["A2"]
    assert cell.data_type in ("s", "inlineStr")
    assert cell.hyperlink is None
    shown = unescape(str(cell.value))
    assert len(shown.encode("utf-16-le")) // 2 <= 32_767
    if text.isprintable() and len(text) < 100:
        assert shown == text


def test_what_looks_like_a_formula_stays_text_when_it_is_edited(tmp_path: Path) -> None:
    """Else it would become one on the first key."""
    sheet = read(written(tmp_path, [["=1+1", None, None], ["종이", None, None]]))
    assert sheet["A2"].quotePrefix
    assert not sheet["A3"].quotePrefix


def test_moments_and_numbers_are_what_they_are(tmp_path: Path) -> None:
    """As the clock of the reader's zone shows them: a spreadsheet can sort and sum them."""
    sheet = read(written(tmp_path, [["병", MOMENT.astimezone(ZoneInfo("Asia/Seoul")), 0.875]]))
    assert sheet["B2"].value == datetime(2026, 11, 30, 12, 4, 5)
    assert sheet["B2"].is_date
    assert (sheet["C2"].value, sheet["C2"].number_format) == (0.875, "0%")


@pytest.mark.parametrize(
    ("url", "clickable"),
    [
        ("https://cdn.example.com/photos/1.jpg?a=1&b=%20", True),
        ("https://x.example/" + "가" * 100, True),
        ("https://x.example/" + "가" * 300, False),
        ("https://x.example/" + "a" * 2_100, False),
        ("javascript:alert(1)", False),
        ("external:c:\\windows\\system.ini", False),
        ("internal:Sheet1!A1", False),
        ("https://x.example/\x01", False),
    ],
    ids=["usual", "Korean", "long once escaped", "long", "script", "file", "sheet", "control"],
)
def test_only_the_web_is_linked(tmp_path: Path, url: str, clickable: bool) -> None:
    """What a spreadsheet would refuse, or open on its reader's disk, is shown as text."""
    cell = read(written(tmp_path, [[Link(url, "열기"), None, None]]))["A2"]
    assert (cell.hyperlink is not None) is clickable
    assert (cell.value == "열기") is clickable


def test_a_long_table_goes_on_in_another_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet's room is limited, and that for links more so."""
    monkeypatch.setattr(workbook, "SHEET_ROWS", 3)
    sheets = openpyxl.load_workbook(written(tmp_path, [[f"{n}", None, None] for n in range(7)])).worksheets
    assert [sheet.title for sheet in sheets] == ["기록", "기록 2", "기록 3"]
    assert [[row[0].value for row in sheet.iter_rows()] for sheet in sheets] == [
        ["무엇", "0", "1", "2"],
        ["무엇", "3", "4", "5"],
        ["무엇", "6"],
    ]


def test_pictures_stand_in_their_rows(tmp_path: Path) -> None:
    """And a row without one is as high as others."""
    picture = tmp_path / "1.jpg"
    Image.new("RGB", (96, 72), "green").save(picture)
    sheet = read(written(tmp_path, [["병", None, None], ["캔", None, None]], pictures=[None, picture]))
    (image,) = sheet._images
    assert image.anchor._from.row == 2
    assert [cell.value for cell in sheet[3]][1] == "캔"
    assert (sheet.row_dimensions[2].height, sheet.row_dimensions[3].height) == (None, 75)


def test_an_empty_table_can_be_opened(tmp_path: Path) -> None:
    """A user without scans gets the headings."""
    assert [cell.value for cell in read(written(tmp_path, []))[1]] == ["무엇", "언제", "얼마"]


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """A row at a time is held; so many more cost no tenth of what they are."""
    row = ("라벨을 떼고 내용물을 비운 뒤 배출해요. " * 200, MOMENT, 0.5)

    def peak(rows: int) -> int:
        tracemalloc.start()
        try:
            file = Workbook(tmp_path / f"{rows}.xlsx", tmp_path, "기록", COLUMNS, MOMENT)
            for _ in range(rows):
                file.append(row)
            file.close()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert abs(peak(400) - peak(200)) < 200 * len(row[0].encode()) / 10  # buffers are full by then


def test_the_same_reader_finds_nothing_else(tmp_path: Path) -> None:
    """No path of this machine and no user's name in the document's properties."""
    with zipfile.ZipFile(written(tmp_path, [["병", None, None]])) as parts:
        everything = b"".join(map(parts.read, parts.namelist()))
    assert str(tmp_path).encode() not in everything
