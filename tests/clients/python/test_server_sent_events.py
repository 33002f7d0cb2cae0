"""Events from bytes that break anywhere."""

import pytest

from eco2_client.errors import Disconnected
from eco2_client.server_sent_events import EventDecoder, ServerSentEvent

STREAM = (
    "retry: 1000\n\n"
    ": heartbeat\n\n"
    'id: 1\nevent: update\ndata: {"line": "separator \u2028 and \u0085 are no ends"}\n\n'
    "event: reconnect\r\ndata:{}\r\n\r\n"
    "data: one\ndata: two\nunknown: field\n\n"
    "event: cut off\ndata: lost"
).encode()
EVENTS = [
    ServerSentEvent(),
    ServerSentEvent("update", '{"line": "separator \u2028 and \u0085 are no ends"}'),
    ServerSentEvent("reconnect", "{}"),
    ServerSentEvent("", "one\ntwo"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_events_are_whole_however_they_come(size: int) -> None:
    """In pieces that cut lines and characters; an event that is cut off by the end is none."""
    decoder = EventDecoder()
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in decoder.feed(piece)] == EVENTS


@pytest.mark.parametrize("piece", [b"data: \xff\n\n", b"x" * (9 << 20)], ids=["no text", "no end"])
def test_what_is_no_event_stream_ends_the_connection(piece: bytes) -> None:
    """Not the program, and not its memory."""
    with pytest.raises(Disconnected):
        list(EventDecoder().feed(piece))
