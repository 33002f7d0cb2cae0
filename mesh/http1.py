"""One HTTP/1.1 answer, read out of bytes as they come. Knows no socket."""

from collections.abc import Iterator

_HEAD_END = b"\r\n\r\n"
_BODILESS = (204, 304)
_LONGEST_HEAD = 64 << 10
_LONGEST_SIZE = 1 << 10  # of a chunk, with its extensions


class Answer:
    """One answer (RFC 9112); its body is framed by a length, in chunks, or by the end of the connection.

    Args:
        bodiless: Whether it has no body whatever its head says: the answer to a HEAD.

    Attributes:
        status: 0 as long as the head isn't whole.
        headers: Names in lower case.
        finished: Whether all of it has come.
        keeps: Whether another request may follow on the connection.
    """

    def __init__(self, *, bodiless: bool = False) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.finished = False
        self.keeps = False
        self._bodiless = bodiless
        self._unread = b""
        self._chunked = False
        # Bytes to come: of the body, or of the chunk with its line's end; None until the connection ends.
        self._left: int | None = 0

    @property
    def left(self) -> int | None:
        """Bytes of the body that are still to come, as far as its head told; None if it didn't."""
        return None if self._chunked else self._left

    def feed(self, data: bytes) -> bytes:
        """What of the body is in the next bytes.

        Raises:
            ValueError: This isn't HTTP/1.
        """
        if self.finished:  # nobody asked for more: what follows isn't to be trusted
            self.keeps = False
            return b""
        data, self._unread = self._unread + data, b""
        while not self.status:
            head, found, rest = data.partition(_HEAD_END)
            if not found:
                self._keep(data, _LONGEST_HEAD)
                return b""
            self._begin(head)
            data = rest
        if self.finished:
            self.keeps = self.keeps and not data
            return b""
        if self._chunked:
            return b"".join(self._chunks(data))
        if self._left is None:
            return data
        piece = data[: self._left]
        self._left -= len(piece)
        if not self._left:
            self._finish(data[len(piece) :])
        return piece

    def end(self) -> None:
        """The connection has ended.

        Raises:
            ValueError: Before the answer was whole.
        """
        if not self.finished and (not self.status or self._left is not None):
            raise ValueError("hung up before the end")
        self.finished, self.keeps = True, False

    def _begin(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        version, _, status = first.partition(b" ")
        if not version.startswith(b"HTTP/1.") or not status[:3].isdigit():
            raise ValueError("not HTTP/1")
        if status.startswith(b"1"):  # only announces the answer
            return
        self.status = int(status[:3])
        self.headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        known = dict(self.headers)
        self.keeps = version == b"HTTP/1.1" and known.get(b"connection", b"").lower() != b"close"
        length = known.get(b"content-length")
        if length is not None and not length.isdigit():
            raise ValueError("not a length")
        if self._bodiless or self.status in _BODILESS:
            self.finished = True
        elif known.get(b"transfer-encoding", b"").lower() == b"chunked":
            self._chunked = True
        else:
            self._left = None if length is None else int(length)
            self.finished = self._left == 0

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data) and not self.finished:
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                # The line's end behind a chunk may come later than the chunk.
                yield piece[: max(0, len(piece) - max(0, 2 - self._left))]
                continue
            line_end = data.find(b"\r\n", at)
            size = int(data[at:line_end].partition(b";")[0], 16) if line_end >= 0 else -1
            trailers_end = data.find(_HEAD_END, line_end) if not size else 0
            if line_end < 0 or trailers_end < 0:
                self._keep(data[at:], _LONGEST_HEAD if not size else _LONGEST_SIZE)
                return
            if size < 0:
                raise ValueError("not a chunk")
            at, self._left = line_end + 2, size + 2
            if not size:
                self._finish(data[trailers_end + len(_HEAD_END) :])

    def _keep(self, data: bytes, most: int) -> None:
        """Sets aside what isn't whole yet."""
        if len(data) > most:
            raise ValueError("no end of the head")
        self._unread = data

    def _finish(self, rest: bytes) -> None:
        self.finished = True
        self.keeps = self.keeps and not rest
