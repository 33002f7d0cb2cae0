"""One HTTP/1.1 answer, read by llhttp out of bytes as they come. Knows no socket."""

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

_MOST_BARREN = 64 << 10  # of a head, of trailers, of what else isn't body


class Answer:
    """One answer (RFC 9112); its body is framed by a length, in chunks, or by the end of the connection.

    Args:
        bodiless: Whether it has no body whatever its head says: the answer to a HEAD.

    Attributes:
        status: 0 as long as the head isn't whole.
        headers: Names in lower case.
        finished: Whether all of it has come.
        keeps: Whether another request may follow on the connection.
        left: Bytes of the body that are still to come, as far as its head told; None if it didn't.
    """

    def __init__(self, *, bodiless: bool = False) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.finished = False
        self.keeps = False
        self.left: int | None = None
        self._bodiless = bodiless
        self._framed = False
        self._barren = 0  # bytes of which nothing has come yet
        self._pieces: list[bytes] = []
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> bytes:
        """What of the body is in the next bytes.

        Raises:
            ValueError: This isn't HTTP/1, or a protocol that nobody asked for.
        """
        if self.finished:  # nobody asked for more: what follows isn't to be trusted
            self.keeps = False
            return b""
        self._barren += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.finished:
                reason = error.__context__ or error  # what a callback raised stands behind the parser's error
                raise ValueError(f"{type(reason).__name__}: {reason}") from error
            self.keeps = False
        if self.finished:
            del self._parser  # which refers to this answer
        elif self._barren > _MOST_BARREN:
            raise ValueError("no end of the head")
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece

    def end(self) -> None:
        """The connection has ended, which the parser has no word for.

        Raises:
            ValueError: Before the answer was whole.
        """
        if not self.finished and (not self.status or self._framed):
            raise ValueError("hung up before the end")
        self.finished, self.keeps = True, False

    def on_message_begin(self) -> None:
        """Called by the parser."""
        if self.finished:
            self.keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser, for trailers too."""
        if not self.status:
            self.headers.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        if self.finished:
            return
        status = self._parser.get_status_code()
        if status < 200:  # only announces the answer
            self.headers.clear()
            return
        version = self._parser.get_http_version()
        if not version.startswith("1."):
            raise ValueError("not HTTP/1")
        known = dict(self.headers)
        if known.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise ValueError("an encoding nobody asked for")
        length = known.get(b"content-length")
        self.left = None if length is None else int(length)
        self._framed = length is not None or b"transfer-encoding" in known
        self.keeps = self._parser.should_keep_alive()
        if self._bodiless:
            # The parser doesn't know of the HEAD, and expects a body up to the end of the connection.
            self.keeps |= not self._framed and version == "1.1" and b"connection" not in known
            self.finished = True
        self.status, self._barren = status, 0

    def on_body(self, piece: bytes) -> None:
        """Called by the parser."""
        if self.finished:
            self.keeps = False
            return
        self._pieces.append(piece)
        self._barren = 0
        if self.left is not None:
            self.left -= len(piece)

    def on_message_complete(self) -> None:
        """Called by the parser, for announcements too."""
        if self.status:
            self.finished = True
