"""The judge of jobs and events under chaos: what breaks an invariant is found, or its `ok` is worth nothing."""

import csv
import io
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import av
import openpyxl
import pytest
from av.container.input import InputContainer
from PIL import Image

from tests.chaos.mesh.clients import job_files, photos
from tests.chaos.mesh.clients.histories import AskedJob, History, JobKind, Reading
from tests.chaos.mesh.fault_injector import Hit
from tests.chaos.mesh.judge.invariants import judge
from tests.chaos.mesh.judge.jobs_left import JobEnd, JobsLeft, RowScan, scene_of
from tests.chaos.mesh.judge.observations import Observations
from tests.chaos.mesh.plan import Kind
from tests.chaos.observations import Commit, Told
from tests.support.scan.journal import Entry, Event

SHEET, PACKED, CLIP, TABLE, ARCHIVE = "sheet", "packed", "clip", "table", "archive"
KEYS = {job_id: f"jobs/{job_id}/1.bin" for job_id in (SHEET, PACKED, TABLE, ARCHIVE)}
# Photo 5 comes twice, the third row has none.
SHOWN, SENT = (
    [5, 6, None, 5],
    b"\xef\xbb\xbf" + "번호,사진 주소,질문\r\n1,a,x\r\n2,b,y\r\n3,없음,\r\n4,a,x\r\n".encode(),
)
RESULTS = ["Done", "Done", "Failed", "Done"]


def workbook(rows: Sequence[Sequence[str]]) -> bytes:
    """An XLSX file."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    book.save(file)
    return file.getvalue()


def table(results: Sequence[str], order: Sequence[int] = (1, 2, 3, 4)) -> bytes:
    """The sheet with results beside its rows."""
    header, *rows = list(csv.reader(io.StringIO(SENT.decode("utf-8-sig"))))
    file = io.StringIO()
    lines = csv.writer(file)
    lines.writerow([*header, "Result"])
    lines.writerows([*rows[number - 1], result] for number, result in zip(order, results, strict=False))
    return file.getvalue().encode("utf-8-sig")


def archive(scans: str) -> bytes:
    """A privacy export."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("scans.json", scans)
    return file.getvalue()


FILES = {
    SHEET: table(RESULTS),
    PACKED: workbook([["File", "Result"], ["photos/7.jpg", "Done"]]),
    TABLE: workbook([["Number"], ["s1"], ["s2"]]),
    ARCHIVE: archive("[{}, {}]"),
}
ASKED = {
    SHEET: AskedJob(kind=JobKind.SHEET, request_id="r1", shown=SHOWN, sent=SENT),
    PACKED: AskedJob(kind=JobKind.PACKED, request_id="r2", shown=[7]),
    CLIP: AskedJob(kind=JobKind.CLIP, request_id="r3", shown=[8, 9]),
    TABLE: AskedJob(kind=JobKind.TABLE, request_id="r4", least=1),
    ARCHIVE: AskedJob(kind=JobKind.ARCHIVE, least=2),
}
ENDS = {
    SHEET: JobEnd("batch", "SUCCEEDED", file_key=KEYS[SHEET]),
    PACKED: JobEnd("batch", "SUCCEEDED", file_key=KEYS[PACKED]),
    CLIP: JobEnd("video", "SUCCEEDED", scan_id="c1"),
    TABLE: JobEnd("client_export", "SUCCEEDED", file_key=KEYS[TABLE], scans=2),
    ARCHIVE: JobEnd("client_export", "SUCCEEDED", file_key=KEYS[ARCHIVE], scans=2),
}
ROWS = {
    SHEET: [RowScan("s1", 1, "SUCCEEDED"), RowScan("s2", 2, "SUCCEEDED")],
    PACKED: [RowScan("s3", 1, "SUCCEEDED")],
}
STATES = dict.fromkeys(("s1", "s2", "s3", "c1"), "SUCCEEDED")
SCENES = {scene_of(CLIP, 0): "8", scene_of(CLIP, 1): "9"}


def life(subject: str, kind: str, first: int) -> list[Told]:
    """All that is told of one that was accepted and succeeded."""
    job = f"{kind} {subject}"
    return [Told(first + place, subject, f"eco2.{kind}.{what}", job=job)
            for place, what in enumerate(("accepted", "stage.started", "stage.succeeded", "succeeded"))]  # fmt: skip


def good() -> Observations:
    """A run as it should be."""
    history = History("user-1", jobs=dict(ASKED), files=dict(FILES))
    subjects = {**dict.fromkeys(STATES, "scan"), **{job_id: end.kind for job_id, end in ENDS.items()}}
    told = [one for place, (subject, kind) in enumerate(subjects.items()) for one in life(subject, kind, 10 * place)]
    return Observations(
        histories=[history],
        states=STATES,
        jobs=JobsLeft(ENDS, ROWS, {job_id: [key] for job_id, key in KEYS.items()}),
        numbers=SCENES,
        calls=[Entry(at=10.0, pid=1, event=Event.STARTED, scan_id="8", stage="vision")],
        commits=[Commit(scene_of(CLIP, 0), "vision", 0, 11.0)],
        told=told,
        logged=frozenset(one.id for one in told),
    )


def broken(seen: Observations) -> list[str]:
    """The invariants of jobs and events that don't hold; photos are judged elsewhere."""
    return [one.name for one in judge(seen) if not one.holds and not one.name.startswith("photos")]


def ended(job_id: str, **changes: object) -> Observations:
    """The run, but this became of a job."""
    seen = good()
    ends = {**ENDS, job_id: replace(ENDS[job_id], **changes)}
    return replace(seen, jobs=replace(seen.jobs, ends=ends))


def fetched(job_id: str, content: bytes) -> Observations:
    """The run, but this is the job's file."""
    seen = good()
    seen.histories[0].files[job_id] = content
    return seen


def scanned(rows: Mapping[str, Sequence[RowScan]]) -> Observations:
    """The run, but these are the scans of rows."""
    seen = good()
    return replace(seen, jobs=replace(seen.jobs, rows={**ROWS, **rows}))


LOST = "jobs lost, made twice or without an end"
FAILED = "jobs or rows failed by an outage"
ROWS_WRONG = "rows of batches without exactly one scan"
FILES_WRONG = "files of jobs that aren't whole"
LEFT = "files left beside those of ended jobs"
PERCENT = "percentages of jobs that went back"
EVENTS_LOST, EVENTS_WRONG = "events lost", "events out of order"
PAID_AGAIN = "calls to the model after its result was stored"


def test_a_run_as_it_should_be_breaks_nothing() -> None:
    """A row that comes twice has one scan, one without an address none."""
    assert broken(good()) == []


def test_a_job_that_is_gone_or_never_ends_is_found() -> None:
    """Its client had been told its id."""
    assert LOST in broken(ended(TABLE, state="QUEUED"))
    seen = good()
    ends = {job_id: end for job_id, end in ENDS.items() if job_id != TABLE}
    assert broken(replace(seen, jobs=replace(seen.jobs, ends=ends))) == [LOST]


def test_one_request_with_two_jobs_is_found() -> None:
    """It was repeated since the first answer had been lost."""
    seen = good()
    seen.histories[0].jobs["other"] = ASKED[CLIP]
    ends = {**ENDS, "other": ENDS[CLIP]}
    told = [*(seen.told or ()), *life("other", "video", 900)]
    assert broken(replace(seen, told=told, jobs=replace(seen.jobs, ends=ends))) == [LOST]


def test_a_job_that_failed_is_found_unless_its_file_was_spoilt() -> None:
    """Then it must fail, and for good."""
    assert FAILED in broken(ended(PACKED, state="FAILED", reason="UNAVAILABLE", at=70.0))
    slow = replace(ended(PACKED, state="FAILED", at=70.0), hits=[Hit(Kind.RESTART, "scan", 5.0, 66.0)])
    assert FAILED not in broken(slow)
    for state, reason, holds in (
        ("FAILED", "SHEET_UNREADABLE", True), ("FAILED", "UNAVAILABLE", False), ("SUCCEEDED", "", False),
    ):  # fmt: skip
        seen = ended(PACKED, state=state, reason=reason)
        seen.histories[0].jobs[PACKED] = replace(ASKED[PACKED], spoilt=True)
        assert (FAILED not in broken(seen)) == holds


def test_a_row_whose_good_photo_failed_is_found() -> None:
    """Although the sheet says so."""
    rows = {SHEET: [ROWS[SHEET][0], RowScan("s2", 2, "FAILED")]}
    seen = scanned(rows)
    seen.histories[0].files[SHEET] = table(["Done", "Failed", "Failed", "Done"])
    assert broken(seen) == [FAILED]


@pytest.mark.parametrize(
    "made",
    [
        [ROWS[SHEET][0]],
        [*ROWS[SHEET], RowScan("s9", 2, "SUCCEEDED")],
        [*ROWS[SHEET], RowScan("s9", 4, "SUCCEEDED")],
        [*ROWS[SHEET], RowScan("s9", 3, "SUCCEEDED")],
        [ROWS[SHEET][0], RowScan("s2", 2, "QUEUED")],
    ],
)
def test_a_row_without_exactly_one_scan_is_found(made: Sequence[RowScan]) -> None:
    """None, two, one of a repetition, one without an address, one that hasn't ended."""
    assert ROWS_WRONG in broken(scanned({SHEET: made}))


def spoilt(content: bytes) -> bytes:
    """A zip with one byte changed within its largest file."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        largest = max(file.infolist(), key=lambda one: one.compress_size)
    at = largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("job_id", "content"),
    [
        (SHEET, table(RESULTS[:3])),
        (SHEET, table(["Done", "Failed", "Done", "Done"], (1, 3, 2, 4))),
        (SHEET, table(["Done", "Failed", "Failed", "Done"])),
        (SHEET, table(["Done", "Done", "Done", "Done"])),
        (SHEET, table(["Done", "Done", "", "Done"])),
        (SHEET, table(RESULTS)[:-40]),
        (SHEET, b""),
        (SHEET, b"\xff\xfe\xfd"),
        (PACKED, FILES[PACKED][:-30]),
        (PACKED, spoilt(FILES[PACKED])),
        (PACKED, workbook([["File", "Result"], ["photos/8.jpg", "Done"]])),
        (TABLE, FILES[TABLE][:-30]),
        (TABLE, workbook([["Number"], ["s1"]])),
        (ARCHIVE, archive("[{}]")),
        (ARCHIVE, archive("[{}, {")),
        (ARCHIVE, FILES[ARCHIVE].replace(b"[{}, {}]", b"[{}, []]", 1)),
    ],
    ids=[
        "a row is missing", "order", "a good row failed", "a bad one is done", "a row says nothing", "cut", "empty",
        "no text", "cut zip", "broken zip", "another photo", "cut workbook", "fewer scans", "fewer entries", "cut JSON",
        "checksum",
    ],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_found(job_id: str, content: bytes) -> None:
    """Cut, in another order, or saying what isn't so."""
    assert broken(fetched(job_id, content)) == [FILES_WRONG]


def test_a_history_with_too_few_scans_is_found() -> None:
    """It had more when the export was asked for."""
    seen = good()
    seen.histories[0].jobs[TABLE] = replace(ASKED[TABLE], least=3)
    assert broken(seen) == [FILES_WRONG]


def test_a_file_that_could_not_be_fetched_is_found() -> None:
    """A clip has none, but a scan."""
    seen = good()
    del seen.histories[0].files[TABLE]
    assert broken(seen) == [FILES_WRONG]
    assert broken(ended(CLIP, scan_id="")) == [FILES_WRONG]


def test_a_file_left_beside_the_jobs_is_found() -> None:
    """A killed attempt's, or the upload."""
    seen = good()
    keys = {**seen.jobs.keys, SHEET: [KEYS[SHEET], "jobs/sheet/0.csv"]}
    assert broken(replace(seen, jobs=replace(seen.jobs, keys=keys))) == [LEFT]


def read(job_id: str, percent: int, version: int, began: float) -> Reading:
    """A poll of a job."""
    return Reading(scan_id=job_id, call=round(began), operation="get", began=began, at=began + 0.1,
                   state="STATE_RUNNING", version=version, percent=percent)  # fmt: skip


def test_a_percentage_of_a_job_that_goes_back_is_found() -> None:
    """Even where another worker has begun again; of a scan that is allowed."""
    seen = good()
    seen.histories[0].entries.extend([read(SHEET, 40, 10_004, 1.0), read(SHEET, 20, 20_000, 2.0)])
    assert broken(seen) == [PERCENT]
    seen = good()
    seen.histories[0].entries.extend([read("s1", 40, 10_004, 1.0), read("s1", 20, 20_000, 2.0)])
    assert broken(seen) == []


def test_a_frame_that_is_looked_at_again_is_found() -> None:
    """What it shows had been stored."""
    again = Entry(at=12.0, pid=1, event=Event.STARTED, scan_id="8", stage="vision")
    seen = good()
    assert broken(replace(seen, calls=[*seen.calls, again])) == [PAID_AGAIN]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda told: [one for one in told if not (one.scan_id == CLIP and "succeeded" in one.type)], EVENTS_LOST),
        (lambda told: [one for one in told if one.type != "eco2.client_export.succeeded"], EVENTS_LOST),
        (lambda told: told[::-1], EVENTS_WRONG),
        (lambda told: [one for one in told if one.type != "eco2.batch.accepted"], EVENTS_WRONG),
        (lambda told: [*told, Told(999, SHEET, "eco2.batch.stage.started", job="batch sheet")], EVENTS_WRONG),
    ],
    ids=["ends of a clip", "ends of exports", "order", "beginning", "after the end"],
)
def test_events_that_are_lost_or_out_of_order_are_found(
    change: Callable[[Sequence[Told]], Sequence[Told]], verdict: str
) -> None:
    """Of all kinds of jobs."""
    seen = good()
    assert verdict in broken(replace(seen, told=change(list(seen.told or ()))))


def test_an_event_that_was_written_and_never_read_is_found() -> None:
    """A reader has gone past it."""
    seen = good()
    assert broken(replace(seen, logged=seen.logged | {5_000})) == [EVENTS_LOST]


def test_files_for_jobs_show_what_they_say() -> None:
    """A sheet has each photo at least once, a zip and a clip all of them, each scene for a second."""
    shown, sent = job_files.sheet([3, 4], 6, "https://example.com", random.Random(1))
    lines = list(csv.reader(io.StringIO(sent.decode("utf-8-sig"))))
    assert (len(lines), shown.count(None), {3, 4} <= set(shown)) == (7, 1, True)
    with zipfile.ZipFile(io.BytesIO(job_files.packed([3, 4]))) as packed:
        assert [photos.number_of(packed.read(name)) for name in packed.namelist()] == [3, 4]
    shown = [job_files.number(index) for index in range(3)]
    with av.open(io.BytesIO(job_files.clip(shown))) as clip:
        assert isinstance(clip, InputContainer)
        frames = [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in clip.decode(video=0)]
    for second, scene in enumerate(shown):
        file = io.BytesIO()
        frames[10 * second + 4].save(file, "JPEG")
        assert photos.number_of(file.getvalue()) == scene
    assert len({job_files.number(index) for index in range(1_000)}) == 1_000
