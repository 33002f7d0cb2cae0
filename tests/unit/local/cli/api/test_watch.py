"""A watch that breaks is taken up again where it broke."""

from collections.abc import Callable, Iterator

import pytest

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from local.cli.api.errors import ApiError, ErrorText
from local.cli.api.watch import Events, follow
from local.errors import Disconnected

Event = scan_service_pb2.WatchScanResponse
SNAPSHOT, UPDATE, TERMINAL = Event.TYPE_SNAPSHOT, Event.TYPE_UPDATE, Event.TYPE_TERMINAL
LOST = Disconnected("lost")


def event(kind: Event.Type.ValueType, version: int) -> Event:
    """One event with the scan at this version."""
    return Event(type=kind, scan=scan_pb2.Scan(version=version))


class Watches:
    """A server whose watches go as scripted; the last one goes on for ever."""

    def __init__(self, *scripts: list[Event | Exception]) -> None:
        self.asked: list[int] = []
        self._scripts = scripts

    def __call__(self, after_version: int) -> Events:
        """Opens the next watch."""
        self.asked.append(after_version)
        return self._play(self._scripts[min(len(self.asked), len(self._scripts)) - 1])

    def _play(self, script: list[Event | Exception]) -> Iterator[Event]:
        for step in script:
            if isinstance(step, Exception):
                raise step
            yield step


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that were made."""
    return []


@pytest.fixture
def versions(pauses: list[float]) -> Callable[[Watches], list[int]]:
    """Follows to the end without really pausing; the versions seen."""
    return lambda watches: [scan.version for scan in follow(watches, pauses.append)]


def test_it_ends_with_the_terminal_state(versions: Callable[[Watches], list[int]], pauses: list[float]) -> None:
    """Nothing follows a TERMINAL event, so nothing may be waited for."""
    watches = Watches([event(SNAPSHOT, 1), event(UPDATE, 2), event(TERMINAL, 3)])
    assert versions(watches) == [1, 2, 3]
    assert (watches.asked, pauses) == ([0], [])


@pytest.mark.parametrize("cut", [[LOST], [], [Event(type=Event.TYPE_RECONNECT)]], ids=["lost", "silent", "sent away"])
def test_a_cut_watch_goes_on_where_it_broke(
    versions: Callable[[Watches], list[int]], cut: list[Event | Exception]
) -> None:
    """Over HTTP/1.1 an error in mid-stream looks like a clean end: only TERMINAL is the end."""
    watches = Watches([event(SNAPSHOT, 1), event(UPDATE, 4), *cut], [event(TERMINAL, 7)])
    assert versions(watches) == [1, 4, 7]
    assert watches.asked == [0, 4]


def test_heartbeats_are_no_states(versions: Callable[[Watches], list[int]]) -> None:
    """They carry no scan."""
    assert versions(Watches([Event(type=Event.TYPE_HEARTBEAT), event(TERMINAL, 1)])) == [1]


@pytest.mark.parametrize("script", [[LOST], []], ids=["lost", "silent"])
def test_it_gives_up_in_the_end(versions: Callable[[Watches], list[int]], script: list[Event | Exception]) -> None:
    """A server that is gone for good must not keep the terminal for ever."""
    watches = Watches(script)
    with pytest.raises(Disconnected):
        versions(watches)
    assert len(watches.asked) == 8


def test_every_state_renews_its_patience(versions: Callable[[Watches], list[int]]) -> None:
    """A long scan over a bad line may break more often than a dead server is tried."""
    breaking: list[list[Event | Exception]] = [[event(UPDATE, version), LOST] for version in range(1, 20)]
    assert versions(Watches(*breaking, [event(TERMINAL, 20)]))[-1] == 20


def test_a_refusal_is_final(versions: Callable[[Watches], list[int]]) -> None:
    """Somebody else's scan doesn't become one's own by asking again."""
    watches = Watches([ApiError(ErrorText("SCAN_NOT_FOUND", "No such scan"))])
    with pytest.raises(ApiError):
        versions(watches)
    assert watches.asked == [0]
