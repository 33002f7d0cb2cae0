"""HTTP/1.1 answers, whatever the pieces they come in."""

import pytest

from mesh.http1 import Answer

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = {
    "by length": (_HEAD + b"Content-Length: 11\r\n\r\nhello world", b"hello world", True),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "of length nought": (_HEAD + b"content-length: 0\r\n\r\n", b"", True),
    "in chunks": (
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;note=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        b"hello world",
        True,
    ),
    "with trailers": (
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nDigest: x\r\n\r\n",
        b"a",
        True,
    ),
    "announced": (b"HTTP/1.1 100 Continue\r\n\r\n" + _HEAD + b"Content-Length: 1\r\n\r\na", b"a", True),
    "closing": (_HEAD + b"Connection: close\r\nContent-Length: 1\r\n\r\na", b"a", False),
    "of an old server": (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", b"a", False),
}
BROKEN = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a length that is none": _HEAD + b"Content-Length: many\r\n\r\n",
    "a chunk without a size": _HEAD + b"Transfer-Encoding: chunked\r\n\r\nhello\r\n",
    "a negative chunk": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000,
    "trailers without an end": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * 20_000,
    "two lengths": _HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length and chunks": _HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an encoding nobody asked for": _HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "an upgrade": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "a later version": b"HTTP/2.0 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(("sent", "body", "keeps"), WHOLE.values(), ids=WHOLE.keys())
def test_an_answer_is_read_whatever_its_framing(sent: bytes, body: bytes, keeps: bool, size: int) -> None:
    """Networks cut it anywhere."""
    answer = Answer()
    read = b"".join(answer.feed(sent[at : at + size]) for at in range(0, len(sent), size))
    assert (read, answer.finished, answer.keeps) == (body, True, keeps)
    assert answer.status in (200, 204)


def test_a_body_without_length_ends_with_the_connection() -> None:
    """As old servers do it."""
    answer = Answer()
    assert answer.feed(_HEAD + b"\r\nhello") == b"hello"
    assert not answer.finished
    answer.end()
    assert (answer.finished, answer.keeps) == (True, False)


@pytest.mark.parametrize("sent", [b"", _HEAD, *(whole[:-1] for whole, _, _ in WHOLE.values())])
def test_hanging_up_early_is_no_answer(sent: bytes) -> None:
    """Half an answer must not pass for a whole one."""
    answer = Answer()
    answer.feed(sent)
    with pytest.raises(ValueError, match="hung up"):
        answer.end()


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_not_http_is_refused(sent: bytes) -> None:
    """Rather than waited for."""
    answer = Answer()
    with pytest.raises(ValueError, match=r".*"):
        any(answer.feed(sent[at : at + 1000]) for at in range(0, len(sent), 1000))


@pytest.mark.parametrize("framing", [b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_the_answer_to_a_head_ends_with_its_head(framing: bytes) -> None:
    """Whatever body it tells of; a body that comes nevertheless spoils the connection."""
    answer = Answer(bodiless=True)
    assert answer.feed(_HEAD + framing + b"\r\n") == b""
    assert (answer.status, answer.finished, answer.keeps) == (200, True, True)
    answer.feed(b"the body")
    assert not answer.keeps
    answer = Answer(bodiless=True)
    assert answer.feed(_HEAD + framing + b"\r\nthe body") == b""
    assert (answer.finished, answer.keeps) == (True, False)


def test_headers_are_those_of_the_head() -> None:
    """Not of an announcement, and not what comes behind the body."""
    answer = Answer()
    answer.feed(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + WHOLE["with trailers"][0])
    assert answer.headers == [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize("more", [b"HTTP/1.1 408 Request Timeout\r\n\r\n", b"HTTP/1.1 200", b"H", b"rubbish"])
@pytest.mark.parametrize("whole", [WHOLE["by length"], WHOLE["without a body"], WHOLE["in chunks"]])
def test_what_follows_an_answer_spoils_the_connection(whole: tuple[bytes, bytes, bool], more: bytes) -> None:
    """Some servers say a last word before they hang up on an idle connection."""
    sent, body, _ = whole
    later, at_once = Answer(), Answer()
    assert later.feed(sent) + later.feed(more) == at_once.feed(sent + more) == body
    assert (later.finished, at_once.finished) == (True, True)
    assert (later.keeps, at_once.keeps) == (False, False)
