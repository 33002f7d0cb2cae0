"""Sheets of photo addresses: read however they are written, and written again with results."""

import csv
import io
import math
import zipfile
from collections.abc import Sequence
from datetime import date, datetime

import pytest
import python_calamine

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.batches.rows import FileLimits, ResultRow, Row
from scan_svc.batches.sheet import read_sheet, rows_of
from scan_svc.batches.sheet_writer import write_sheet, write_workbook
from tests.support.scan.sheets import csv_sheet, replaced, workbook

_ADDRESS = "https://photos.example.com/1.jpg"
_HOSTILE = ("=1+1", "+82-10-1234", "-cmd", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", " =1+1", "\u200b=1")


def _read(content: bytes, limits: FileLimits | None = None) -> list[Row]:
    return rows_of(read_sheet(content, limits or FileLimits()))


def _refusal(content: bytes, limits: FileLimits | None = None) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as refused:
        _read(content, limits)
    return refused.value


def _written(content: bytes, header: list[str], results: list[ResultRow]) -> bytes:
    file = io.BytesIO()
    write_sheet(read_sheet(content, FileLimits()), header, iter(results), file)
    return file.getvalue()


def _csv_of(content: bytes, separator: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator))


def _cells_of(content: bytes) -> Sequence[Sequence[object]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return book.get_sheet_by_index(0).to_python(skip_empty_area=False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_csv_is_read_in_every_encoding_and_with_every_separator(encoding: str, separator: str) -> None:
    """Excel in Korea writes CP949, elsewhere semicolons, and tabs in UTF-16 when it is asked for Unicode."""
    sheet = csv_sheet([["품목", "사진 주소"], ["뽁뽁이, 비닐; 봉투", _ADDRESS]], encoding, separator)
    assert _read(sheet) == [Row(1, _ADDRESS)]


@pytest.mark.parametrize(
    "name", ["사진 주소", "사진주소", "이미지 URL", "Photo URL", "photo_url", "IMAGE-URL", "url", "링크", " ＵＲＬ "]
)
def test_the_column_is_found_by_its_name(name: str) -> None:
    """Korean or English, however it is spelled."""
    assert _read(csv_sheet([["번호", name], ["1", _ADDRESS]])) == [Row(1, _ADDRESS)]


def test_titles_and_blank_rows_are_passed_over() -> None:
    """People write a title above the header, and leave rows empty."""
    row = [_ADDRESS, "뚜껑도요?", "서울특별시/마포구"]
    sheet = csv_sheet([["11월 분리배출"], [], ["url", "질문", "지역"], [], row, ["", " "]])
    assert _read(sheet) == [Row(1, *row)]


def test_a_workbook_is_read_with_what_its_cells_are() -> None:
    """Dates, numbers and formulas' values; merged cells hold what their first one holds; hidden sheets are none."""
    sheet = workbook([["url", "질문"], ["", 3.0], ["", date(2026, 11, 30)], ["", "=1+1"]], "A2:A3", hidden_first=True)
    merged = "https://photos.example.com/merged.jpg"
    assert _read(sheet) == [Row(1, merged, "3"), Row(2, "", "2026-11-30"), Row(3, "", "2")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.SHEET_EMPTY),
        (b"\n\n ", Reason.SHEET_EMPTY),
        (csv_sheet([["url"]]), Reason.SHEET_EMPTY),
        (workbook([]), Reason.SHEET_EMPTY),
        (workbook([["url"]]), Reason.SHEET_EMPTY),
        (csv_sheet([["이름", "전화"], ["가", "나"]]), Reason.SHEET_NO_ADDRESSES),
        (workbook([["이름"], ["가"]]), Reason.SHEET_NO_ADDRESSES),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), Reason.SHEET_FORMAT),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), Reason.SHEET_ENCRYPTED),
        (b"PK\x03\x04 and no more", Reason.SHEET_UNREADABLE),
        (b"url\n\xff\xfe\xfd\x81", Reason.SHEET_UNREADABLE),
        (b"url\nhttps://a.example.com/\0.jpg", Reason.SHEET_UNREADABLE),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x80\x81", Reason.SHEET_UNREADABLE),
    ],
    ids=[
        "nothing", "blanks", "header-csv", "empty-xlsx", "header-xlsx", "other-columns-csv", "other-columns-xlsx",
        "xls", "password", "no-zip", "no-text", "nul", "pdf",
    ],
)  # fmt: skip
def test_what_cant_be_used_is_refused_with_a_reason(content: bytes, reason: Reason) -> None:
    """A person has to know what to do about it."""
    assert _refusal(content).reason is reason


def test_limits_are_told_by_what_was_too_much() -> None:
    """Rows, columns, cells, and the length of one."""
    limits = FileLimits(rows=2, columns=3, cells=60)
    assert _refusal(csv_sheet([["url"], *[[_ADDRESS]] * 3]), limits).metadata == {"limit": "2 rows"}
    assert _refusal(csv_sheet([["url"], *[[_ADDRESS]] * 100_000]), limits).metadata == {"limit": "2 rows"}
    assert _refusal(csv_sheet([["url", "", "", ""], [_ADDRESS]]), limits).metadata == {"limit": "3 columns"}
    assert _refusal(csv_sheet([["url", "", ""]] * 3), FileLimits(cells=6)).metadata == {"limit": "6 cells"}
    long = _refusal(csv_sheet([["url", "x"], [_ADDRESS, "x" * 40_000]]))
    assert (long.reason, long.metadata) == (Reason.SHEET_TOO_LARGE, {"limit": "32,767 characters a cell"})


def test_of_a_long_text_no_more_is_kept_than_tells_so() -> None:
    """Each of ten thousand rows may hold three of them, which would stay in the worker's memory."""
    (row,) = _read(csv_sheet([["url", "질문", "지역"], ["x" * 32_000] * 3]))
    assert (len(row.address), len(row.question), len(row.region)) == (2049, 501, 101)


def test_csv_is_written_as_it_was_with_results_beside_its_rows() -> None:
    """Titles, blank rows, separators and numbers stay; rows without a result have none."""
    sheet = csv_sheet([["제목"], ["url", "수"], [], [_ADDRESS, "-12.5"], ["", "7"]], "cp949", ";")
    results = [ResultRow(1, ["플라스틱류", 0.25]), ResultRow(2, ["", None])]
    written = _csv_of(_written(sheet, ["분류", "확신도"], results), ";")
    assert written == [
        ["제목"], ["url", "수", "분류", "확신도"], [], [_ADDRESS, "-12.5", "플라스틱류", "0.25"], ["", "7", "", ""],
    ]  # fmt: skip


@pytest.mark.parametrize("hostile", _HOSTILE, ids=[f"sign-{place}" for place in range(len(_HOSTILE))])
def test_no_cell_of_a_csv_file_is_a_formula(hostile: str) -> None:
    """Neither one that the user sent, nor one that a model wrote."""
    sheet = csv_sheet([["url", "말"], [_ADDRESS, hostile]])
    row = _csv_of(_written(sheet, ["설명"], [ResultRow(1, [hostile])]))[1]
    assert row == [_ADDRESS, f"'{hostile}", f"'{hostile}"]


def test_a_workbook_is_written_with_its_values_and_without_formulas() -> None:
    """Text that looks like a formula is text; numbers and dates stay what they are."""
    moment = datetime(2026, 11, 30, 12, 30)
    cells = [_ADDRESS, date(2026, 11, 30), moment, 2.5, "=1+1", True]
    sheet = workbook([["url", "날짜", "때", "수", "식", "참"], cells])
    written = _written(sheet, ["설명", "비용"], [ResultRow(1, ["=HYPERLINK(1)", 0.01])])
    assert _cells_of(written) == [
        ["url", "날짜", "때", "수", "식", "참", "설명", "비용"],
        [_ADDRESS, date(2026, 11, 30), moment, 2.5, 2.0, True, "=HYPERLINK(1)", 0.01],
    ]
    assert b"<f>" not in _parts(written)


@pytest.mark.parametrize("name", ["가" * 40, "2026/11 [본사]: 사진?", "'사진'"], ids=["long", "signs", "quotes"])
def test_a_workbook_is_written_whatever_its_sheet_is_called(name: str) -> None:
    """Other programs allow more than Excel, and by then the rows are paid for."""
    of_excel = workbook([["url"], [_ADDRESS]])
    sheet = replaced(of_excel, {"xl/workbook.xml": lambda old: old.replace("사진".encode(), name.encode())})
    assert read_sheet(sheet, FileLimits()).name == name
    assert _cells_of(_written(sheet, ["분류"], [ResultRow(1, ["캔"])])) == [["url", "분류"], [_ADDRESS, "캔"]]


def test_what_is_no_finite_number_is_written_as_text() -> None:
    """A workbook has no place for it among its numbers."""
    file = io.BytesIO()
    write_workbook(iter([["url", "수"], [math.inf, math.nan]]), "사진", file)
    assert _cells_of(file.getvalue()) == [["url", "수"], ["inf", "nan"]]


def _parts(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return file.read("xl/worksheets/sheet1.xml")
