"""Batches' files in the process that reads them: whatever they hold, it ends in its limits, and the next is read."""

import asyncio
import zipfile
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from typing import Any

import pytest

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.batches.files import BatchFiles
from scan_svc.batches.rows import XLSX_TYPE, Contents, FileLimits, ResultRow, Row
from scan_svc.client_jobs.client_jobs import Upload
from tests.support.scan.sheets import csv_sheet, photo_zip, replaced, text_cell, with_sheet, workbook

_ADDRESS = "https://photos.example.com/1.jpg"
_HEADER = f'<row r="1">{text_cell("A1", "url")}</row>'
_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n + 1} "{f"&lol{n or str()};" * 10}">' for n in range(9))
    + ']><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
)
_SMALL = FileLimits(unpacked_bytes=1 << 20)


class _OneFile:
    """Storage that holds one file."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.written = b""
        self.content_type = ""
        self.fetched = 0

    async def part(self, key: str, start: int, length: int) -> bytes:
        """A piece of it."""
        self.fetched += length
        return self.content[start : start + length]

    async def write(self, key: str, pieces: AsyncIterator[bytes], content_type: str) -> None:
        """Keeps what is written."""
        self.written = b"".join([piece async for piece in pieces])
        self.content_type = content_type


class _Held(_OneFile):
    """Storage that answers once it may."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.asked = 0
        self.reached = asyncio.Event()
        self.answers = asyncio.Event()

    async def part(self, key: str, start: int, length: int) -> bytes:
        """A piece of it, later."""
        self.asked += 1
        self.reached.set()
        await self.answers.wait()
        return await super().part(key, start, length)


async def _read(content: bytes, content_type: str = XLSX_TYPE, **about: Any) -> Contents:
    return await BatchFiles(_OneFile(content), **about).read(Upload("key", content_type, len(content)))


def _sheet(body: str, prolog: str = "") -> bytes:
    return with_sheet(f"<sheetData>{_HEADER}{body}</sheetData>", prolog)


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (lambda: _sheet(f'<row r="2">{text_cell("A2", "&lol9;")}</row>', _LAUGHS), Reason.SHEET_UNREADABLE),
        (lambda: _sheet(f'<row r="1048576">{text_cell("XFD1048576", "x")}</row>'), Reason.SHEET_TOO_LARGE),
        (lambda: _sheet(f'<row r="2">{text_cell("A2", "A" * (1 << 20))}</row>'), Reason.SHEET_TOO_LARGE),
        (lambda: with_sheet("<sheetData><row r='1'>"), Reason.SHEET_UNREADABLE),
        (lambda: replaced(workbook([["url"]]), {"xl/workbook.xml": lambda _: b"<x/>"}), Reason.SHEET_UNREADABLE),
        (lambda: photo_zip({"a.jpg": b"x"}), Reason.SHEET_FORMAT),
        (lambda: b"PK\x05\x06" + bytes(18), Reason.SHEET_FORMAT),
    ],
    ids=["laughs", "far-cell", "bomb", "cut", "no-workbook", "photos-as-xlsx", "empty-zip"],
)
async def test_a_hostile_workbook_is_refused_with_a_reason(hostile: Callable[[], bytes], reason: Reason) -> None:
    """None takes more than its process may, and the service goes on."""
    with pytest.raises(InvalidArgument) as refused:
        await _read(hostile(), limits=_SMALL)
    assert refused.value.reason is reason


@pytest.mark.slow
async def test_a_million_empty_rows_are_passed_over() -> None:
    """As spreadsheets leave them below what somebody has deleted."""
    empty = "".join(f'<row r="{n}"/>' for n in range(2, 1_000_001))
    sheet = _sheet(f'{empty}<row r="1000002">{text_cell("A1000002", _ADDRESS)}</row>')
    assert (await _read(sheet)).rows == [Row(1, _ADDRESS)]


@pytest.mark.slow
async def test_a_part_that_is_larger_than_the_zip_says_takes_no_more_memory() -> None:
    """The directory says ten bytes, the part unpacks to 200 MB."""
    bomb = bytearray(_sheet(f'<row r="2">{text_cell("A2", "A" * (200 << 20))}</row>'))
    with zipfile.ZipFile(BytesIO(bomb)) as file:
        size = file.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    while (place := bomb.find(size)) >= 0:
        bomb[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InvalidArgument) as refused:
        await _read(bytes(bomb), limits=_SMALL, megabytes=160)
    assert refused.value.reason in (Reason.SHEET_TOO_LARGE, Reason.SHEET_UNREADABLE)


async def test_a_sheet_that_claims_to_be_huge_is_read_for_what_it_holds() -> None:
    """What the dimension says is nobody's promise."""
    row = f'<row r="2">{text_cell("A2", _ADDRESS)}</row>'
    sheet = with_sheet(f'<dimension ref="A1:XFD1048576"/><sheetData>{_HEADER}{row}</sheetData>')
    assert (await _read(sheet)).rows == [Row(1, _ADDRESS)]


async def test_what_takes_too_long_is_refused() -> None:
    """By the clock, should the kernel's limit on CPU time not be reached."""
    with pytest.raises(InvalidArgument) as refused:
        await _read(csv_sheet([["url"], [_ADDRESS]]), "text/csv", seconds=0)
    assert refused.value.metadata == {"limit": "0 s"}


async def test_what_takes_too_much_memory_is_refused_and_the_next_file_is_read() -> None:
    """Whether the process says so itself or dies of it."""
    storage = _OneFile(csv_sheet([["url", "x"], *[[_ADDRESS, "x" * 200]] * 9_999], "utf-16"))
    upload = Upload("key", "text/csv", len(storage.content))
    with pytest.raises(InvalidArgument) as refused:
        await BatchFiles(storage, megabytes=40).read(upload)
    assert refused.value.reason is Reason.SHEET_TOO_LARGE
    assert (await BatchFiles(storage).read(upload)).total == 9_999


async def test_a_file_that_waits_for_its_turn_isnt_fetched_yet() -> None:
    """Of the files of all batches at work one is in memory."""
    storage = _Held(csv_sheet([["url"], [_ADDRESS]]))
    files, upload = BatchFiles(storage), Upload("key", "text/csv", len(storage.content))
    reads = [asyncio.create_task(files.read(upload)) for _ in range(2)]
    await storage.reached.wait()
    assert storage.asked == 1
    storage.answers.set()
    assert [one.total for one in await asyncio.gather(*reads)] == [1, 1]


async def test_results_are_written_beside_a_sheet() -> None:
    """By the same process; a CSV file stays one."""
    storage = _OneFile(csv_sheet([["url"], [_ADDRESS], [_ADDRESS]]))
    upload = Upload("key", "text/csv", len(storage.content))
    results = [ResultRow(1, ["=1+1", 0.5]), ResultRow(2, ["종이", None])]
    size = await BatchFiles(storage).write(upload, ["분류", "확신도"], results, "result")
    assert storage.written.decode("utf-8-sig").splitlines() == [
        "url,분류,확신도", f"{_ADDRESS},'=1+1,0.5", f"{_ADDRESS},종이,",
    ]  # fmt: skip
    assert (size, storage.content_type) == (len(storage.written), "text/csv")


@pytest.mark.parametrize("in_cp949", [False, True], ids=["utf-8", "cp949"])
async def test_the_photos_of_a_zip_are_listed_by_name(in_cp949: bool) -> None:
    """In the order of their names, whoever wrote them, without what systems put beside them."""
    content = photo_zip(
        {"나.jpg": b"2", "사진/가.png": b"33", ".DS_Store": b"x", "__MACOSX/나.jpg": b"x", "Thumbs.db": b"x"}, in_cp949
    )
    photos = (await _read(content, "application/zip")).photos
    assert [(photo.number, photo.name, photo.size) for photo in photos] == [(1, "나.jpg", 1), (2, "사진/가.png", 2)]


async def test_of_a_large_zip_only_its_end_is_fetched() -> None:
    """A gigabyte of photos isn't held in memory for its directory."""
    storage = _OneFile(photo_zip({f"{n}.jpg": bytes(3 << 20) for n in range(4)}, stored=True))
    contents = await BatchFiles(storage).read(Upload("key", "application/zip", len(storage.content)))
    assert contents.total == 4
    assert storage.fetched == 8 << 20 < len(storage.content)


async def test_entries_that_share_their_bytes_are_refused() -> None:
    """So a small file could hold any number of photos."""
    content = bytearray(photo_zip({"a.jpg": b"a" * 100, "b.jpg": b"b" * 100}, stored=True))
    with zipfile.ZipFile(BytesIO(content)) as file:
        second = file.getinfo("b.jpg").header_offset
    place = content.rfind(second.to_bytes(4, "little"), 0, len(content) - 22)
    content[place : place + 4] = bytes(4)
    with pytest.raises(InvalidArgument) as refused:
        await _read(bytes(content), "application/zip")
    assert refused.value.metadata == {"detail": "overlapping entries"}


async def test_too_many_photos_and_too_many_bytes_are_refused() -> None:
    """By what the directory says, before any photo is unpacked."""
    content = photo_zip({f"{n}.jpg": bytes(1000) for n in range(4)})
    for limits, told in ((FileLimits(rows=3), "3 photos"), (FileLimits(photo_bytes=3999), "3,999 bytes unpacked")):
        with pytest.raises(InvalidArgument) as refused:
            await _read(content, "application/zip", limits=limits)
        assert refused.value.metadata == {"limit": told}
    with pytest.raises(InvalidArgument) as empty:
        await _read(photo_zip({}), "application/zip")
    assert empty.value.reason is Reason.SHEET_EMPTY
