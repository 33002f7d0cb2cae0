"""When the steps of a running scan are shown."""

import asyncio
import itertools

import pytest

from scan_svc.mirrors.vision import Category, Classification
from scan_svc.progress import pacer as pacing
from scan_svc.progress.pacer import Pacer
from scan_svc.results import Results
from scan_svc.scans import Scan
from tests.integration.scan.sample_scans import a_scan

FOUND = Results(vision=Classification(Category("재활용폐기물", "금속류")))
REFINED = Results(vision=Classification(Category("재활용폐기물", "무색페트병")))
HOUR = 3600.0


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that were shown: each step at once if it is read, else not within an hour."""
    monkeypatch.setattr(pacing, "_READ_SECONDS", 0.0)
    monkeypatch.setattr(pacing, "_UNREAD_SECONDS", HOUR)
    return []


def paced(shown: list[int]) -> Pacer:
    return Pacer(lambda scan: shown.append(scan.version), supersede=lambda scan: False)


def step(version: int, results: Results | None = None) -> Scan:
    return a_scan(version, results=results or Results(), scan_id="1")


async def test_without_a_reader_the_first_step_and_the_classification_are_shown(shown: list[int]) -> None:
    """Whatever else it goes through within a second; a classification that is changed later is shown, too."""
    pacer = paced(shown)
    for version, results in enumerate((None, None, None, FOUND, FOUND, FOUND, REFINED, REFINED), 1):
        pacer.show(step(version, results))
    assert shown == [1, 4, 7]


@pytest.mark.parametrize("read", [False, True])
async def test_of_steps_that_follow_quickly_the_newest_is_shown(monkeypatch: pytest.MonkeyPatch, *, read: bool) -> None:
    """So every stage that lasts is told, and nobody is later than that."""
    monkeypatch.setattr(pacing, "_READ_SECONDS" if read else "_UNREAD_SECONDS", 0.001)
    monkeypatch.setattr(pacing, "_UNREAD_SECONDS" if read else "_READ_SECONDS", HOUR)
    shown: asyncio.Queue[int] = asyncio.Queue()
    pacer = Pacer(lambda scan: shown.put_nowait(scan.version), lambda scan: False, clock=lambda: 0.0)
    pacer.show(step(1))
    pacer.published("1", 1, read=read)
    pacer.show(step(2))
    pacer.show(step(3))
    assert [await shown.get(), await shown.get()] == [1, 3]


async def test_who_comes_in_the_middle_is_shown_what_was_held_and_each_step_after_it(shown: list[int]) -> None:
    pacer = paced(shown)
    for version in (1, 2, 3):
        pacer.show(step(version))
    pacer.arrived(["1", "unknown"])
    assert shown == [1, 3]
    pacer.show(step(4))
    pacer.show(step(5))
    assert shown == [1, 3, 4, 5]


async def test_what_redis_says_of_readers_counts_from_then_on(shown: list[int]) -> None:
    """They may have been there before this process took the scan, and leave one day."""
    pacer = paced(shown)
    pacer.show(step(1))
    pacer.show(step(2))
    pacer.published("1", 1, read=True)
    assert shown == [1, 2]
    pacer.show(step(3))
    pacer.published("1", 3, read=False)
    pacer.show(step(4))
    assert shown == [1, 2, 3]


async def test_a_step_that_can_take_the_place_of_one_that_hasnt_left_does(shown: list[int]) -> None:
    """As the first one of rules does, right after the classification: nothing would be saved by holding it."""

    def supersede(scan: Scan) -> bool:
        if not waiting:
            return False
        shown[-1] = scan.version
        return True

    waiting, pacer = True, Pacer(lambda scan: shown.append(scan.version), supersede)
    pacer.show(step(1))
    pacer.show(step(2))
    waiting = False
    pacer.show(step(3))
    pacer.show(step(4, FOUND))
    waiting = True
    pacer.show(step(5, FOUND))
    assert shown == [2, 5]
    pacer.arrived(["1"])
    assert shown == [2, 5]


async def test_a_reader_who_has_just_come_is_believed_rather_than_redis(shown: list[int]) -> None:
    """Redis' answer may have been on its way already; one to a later version can't have been."""
    pacer = paced(shown)
    pacer.show(step(1))
    pacer.arrived(["1"])
    pacer.published("1", 1, read=False)
    pacer.show(step(2))
    assert shown == [1, 2]
    pacer.published("1", 2, read=False)
    pacer.show(step(3))
    assert shown == [1, 2]


@pytest.mark.parametrize("ending", ["end", "withdraw"])
async def test_what_was_held_isnt_shown_once_others_speak_for_the_scan(shown: list[int], ending: str) -> None:
    """Its lease is over, or progress must be stored before it is shown: this step would be told at the wrong time."""
    pacer = paced(shown)
    pacer.show(step(1))
    pacer.show(step(2))
    pacer.end("1") if ending == "end" else pacer.withdraw()
    pacer.arrived(["1"])
    pacer.published("1", 1, read=True)
    assert shown == [1]


async def test_whatever_happens_versions_only_grow(shown: list[int]) -> None:
    """Steps, readers and Redis' answers in any order."""
    events = ("step", "reader", "read", "unread")
    for order in itertools.product(events, repeat=5):
        shown.clear()
        pacer = paced(shown)
        version = 1
        pacer.show(step(version))
        for event in order:
            if event == "step":
                version += 1
                pacer.show(step(version))
            elif event == "reader":
                pacer.arrived(["1"])
            else:
                pacer.published("1", shown[-1], read=event == "read")
        assert shown == sorted(set(shown))
        if order[-1] in {"reader", "read"}:
            assert shown[-1] == version
        pacer.withdraw()
