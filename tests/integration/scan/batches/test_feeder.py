"""The feeder: rows become scans at a pace, few at once, and none twice, wherever it is killed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import uuid_utils

from mesh.errors import InvalidArgument, Unavailable
from mesh.reasons import Reason
from scan_svc.client_jobs.client_jobs import ClientJob, Kind
from scan_svc.hidden_scans.feeder import Cursor, Feeder, Pace
from scan_svc.hidden_scans.store import HiddenScanStore, request_of
from scan_svc.jobs.leases import Fenced
from scan_svc.mirrors.vision import Usage
from scan_svc.scans import NewScan, Photo, ScanRequest, State
from tests.support.scan.scan_parts import ScanParts

_TICK = 0.01


class _Task:
    """A job whose checkpoints are remembered.

    Args:
        job_id: Which.
        cursor: What it goes on with.
        fenced_at: The checkpoint that is its last, from 1; 0: none.
    """

    def __init__(self, job_id: str, cursor: Any = None, fenced_at: int = 0) -> None:
        self.job = ClientJob(
            job_id=job_id, user_id="user", kind=Kind.BATCH, state=State.RUNNING, version=1, spec="{}", locale="ko",
            created_at=None,
        )  # fmt: skip
        self.cursor = cursor
        self.kept: list[tuple[Any, int, int, int]] = []
        self.reported: list[tuple[str, int, int]] = []
        self._fenced_at = fenced_at

    async def report(self, step: str, done: int = 0, total: int = 0) -> None:
        self.reported.append((step, done, total))

    async def checkpoint(self, cursor: object, done: int = 0, total: int = 0, cost_micro_usd: int = 0) -> None:
        if len(self.kept) + 1 == self._fenced_at:
            raise Fenced
        self.kept.append((msgspec.json.decode(msgspec.json.encode(cursor)), done, total, cost_micro_usd))


class _Rows:
    """Makes rows' scans, and ends them when a test says."""

    def __init__(self, parts: ScanParts, job_id: str) -> None:
        self.parts = parts
        self.job_id = job_id
        self.asked: list[int] = []
        self.before: Callable[[int], Awaitable[object]] | None = None

    async def make(self, number: int) -> str | None:
        self.asked.append(number)
        if self.before:
            await self.before(number)
        scan_id, url = str(uuid_utils.uuid7()), f"https://example.com/{number}.jpg"
        request = ScanRequest(
            user_id="user",
            photo=url,
            request_id=request_of(self.job_id, number),
            client_job_id=self.job_id,
            hidden=True,
        )
        scan, _ = await self.parts.store.create(NewScan(scan_id, Photo(url), request), "")
        return scan.scan_id

    async def end_all(self) -> None:
        """Every scan that is there succeeds, at a cost of 5."""
        usage = msgspec.json.encode(
            [{"stage": "vision", "usage": msgspec.to_builtins(Usage("m", 0, 0, 5, 1))}]
        ).decode()
        await self.parts.pool.execute(
            "with ended as (delete from scan.job where kind = 'scan')"
            " update scan.scan set state = 'SUCCEEDED', finished_at = now(), stages = $1 where finished_at is null",
            usage,
        )

    async def count(self) -> int:
        found: int = await self.parts.pool.fetchval(
            "select count(*) from scan.scan where client_job_id = $1", self.job_id
        )
        return found


@pytest.fixture
def rows(parts: ScanParts) -> _Rows:
    """The rows of one job."""
    return _Rows(parts, str(uuid_utils.uuid7()))


def _feeder(rows: _Rows) -> Feeder:
    return Feeder(HiddenScanStore(rows.parts.pool), _TICK)


async def _ending(rows: _Rows, feeding: Awaitable[Cursor]) -> Cursor:
    """Ends scans as they come until the feeder has done."""
    task = asyncio.ensure_future(feeding)
    async with asyncio.timeout(60):
        while not task.done():
            await rows.end_all()
            await asyncio.wait([task], timeout=_TICK)
    return task.result()


async def test_each_row_is_made_once_and_counted_when_it_has_ended(rows: _Rows) -> None:
    """With what it has cost; rows that can't be made, or need no scan, have ended at once."""

    async def refuse(number: int) -> None:
        if number == 2:
            raise InvalidArgument(Reason.PHOTO_EMPTY)

    rows.before = refuse
    task = _Task(rows.job_id)
    cursor = await _ending(rows, _feeder(rows).feed(task, "scan", 5, rows.make, Pace(6_000_000, 10)))
    assert (cursor.done, cursor.open, cursor.cost_micro_usd) == (5, {}, 20)
    assert sorted(rows.asked) == [1, 2, 3, 4, 5]
    assert task.kept[-1][1:] == (5, 5, 20)
    assert task.reported[0][0] == "scan"


async def test_no_more_scans_are_open_than_the_window_allows(rows: _Rows) -> None:
    """However fast the pace, and however slow the scans are."""
    task = _Task(rows.job_id)
    feeding = asyncio.ensure_future(_feeder(rows).feed(task, "scan", 50, rows.make, Pace(6_000_000, 4)))
    async with asyncio.timeout(60):
        while len(task.reported) < 10:
            await asyncio.wait([feeding], timeout=_TICK)
    assert await rows.count() == 4
    assert (await _ending(rows, feeding)).done == 50


async def test_rows_are_begun_at_the_pace(rows: _Rows) -> None:
    """Whatever the window would hold."""
    task = _Task(rows.job_id)
    pace = Pace(60, 100)  # one a second, a hundredth of one a tick
    now = asyncio.get_running_loop().time
    began = now()
    feeding = asyncio.ensure_future(_feeder(rows).feed(task, "scan", 50, rows.make, pace))
    async with asyncio.timeout(60):
        while len(task.reported) < 50:
            await asyncio.wait([feeding], timeout=_TICK)
    feeding.cancel()
    assert len(rows.asked) <= 1 + (now() - began)


async def test_rows_of_a_tick_are_spread_over_it(rows: _Rows) -> None:
    """None begins before its part of the tick: together their photos would keep others waiting."""
    now, begun = asyncio.get_running_loop().time, list[float]()

    async def note(number: int) -> None:
        begun.append(now())

    rows.before, tick = note, 0.5
    began = now()
    feeder = Feeder(HiddenScanStore(rows.parts.pool), tick)
    await _ending(rows, feeder.feed(_Task(rows.job_id), "scan", 5, rows.make, Pace(600, 10)))
    assert rows.asked == [1, 2, 3, 4, 5]
    assert all(moment - began >= place * tick / 5 for place, moment in enumerate(begun))


@pytest.mark.parametrize("fenced_at", [1, 2, 3])
async def test_rows_made_after_the_last_checkpoint_are_found_again(rows: _Rows, fenced_at: int) -> None:
    """The worker dies between making them and saying so; whoever goes on makes no second scan of any."""
    first = _Task(rows.job_id, fenced_at=fenced_at)
    pace = Pace(60 * 300, 6)  # three a tick
    with pytest.raises(Fenced):
        await _ending(rows, _feeder(rows).feed(first, "scan", 12, rows.make, pace))
    made = await rows.count()
    assert made
    asked = set(rows.asked)
    second = _Task(rows.job_id, first.kept[-1][0] if first.kept else None)
    cursor = await _ending(rows, _feeder(rows).feed(second, "scan", 12, rows.make, pace))
    assert (cursor.done, cursor.cost_micro_usd, await rows.count()) == (12, 60, 12)
    assert len(rows.asked) == 12
    assert not asked & set(rows.asked[made:])


async def test_an_outage_makes_no_row_fail(rows: _Rows) -> None:
    """The job is tried again, and goes on with the row that couldn't be made."""

    async def away(number: int) -> None:
        if number == 3:
            raise Unavailable(Reason.UNAVAILABLE, peer="s3")

    rows.before = away
    task = _Task(rows.job_id)
    with pytest.raises(Unavailable):
        await _ending(rows, _feeder(rows).feed(task, "scan", 4, rows.make, Pace(6_000_000, 10)))
    rows.before = None
    kept = task.kept[-1][0] if task.kept else None
    cursor = await _ending(
        rows, _feeder(rows).feed(_Task(rows.job_id, kept), "scan", 4, rows.make, Pace(6_000_000, 10))
    )
    assert (cursor.done, await rows.count()) == (4, 4)
