"""Server-Sent Events, from bytes that may break anywhere (WHATWG HTML, 9.2.6).

httpx2's reader passes over comments; here they are the heartbeats, by which a watch notices that its time is up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from eco2_client.errors import Disconnected

_MOST_BYTES = 8 << 20  # a scan has some kilobytes


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event.

    Attributes:
        name: Such as "update"; empty if it has none.
        data: Its lines; empty for a comment or an event without any.
    """

    name: str = ""
    data: str = ""


class EventDecoder:
    """Collects bytes to events. An event that is cut off by the stream's end is none."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that these bytes complete; a comment is one without name and data.

        Raises:
            Disconnected: It isn't text, or there is no end to an event.
        """
        # A lone "\r" may end a line, or be half of "\r\n": the latter is all that we and proxies send.
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._size += len(chunk)
        if self._size > _MOST_BYTES:
            raise Disconnected("an event is too large")
        for line in lines:
            try:
                event = self._line(line.removesuffix(b"\r").decode())
            except UnicodeDecodeError:
                raise Disconnected("an event isn't text") from None
            if event is not None:
                self._size = len(self._rest)
                yield event

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            event = ServerSentEvent(self._name, "\n".join(self._data)) if self._name or self._data else None
            self._name, self._data = "", []
            return event
        name, _, value = line.partition(":")
        match name:
            case "":
                return ServerSentEvent()
            case "event":
                self._name = value.removeprefix(" ")
            case "data":
                self._data.append(value.removeprefix(" "))
        return None
