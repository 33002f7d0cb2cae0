"""The client without async, from the one with: the same tokens but for these.

The library `unasync` does as much and brings setuptools along.
"""

import io
import re
import tokenize

_DROPPED = {"async", "await"}
_RENAMED = {
    "_async": "_sync",
    "AsyncIterator": "Iterator",
    "StopAsyncIteration": "StopIteration",
    "asynccontextmanager": "contextmanager",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "aiter_bytes": "iter_bytes",
    "aread": "read",
}
_OURS = re.compile(r"\bAsync([A-Z]\w+)")
_IN_TEXT = re.compile(r"\b(?:async |await )")
_HEADER = "# Written by `make gen` from _async/. Don't edit it.\n"


def blocking(source: str) -> str:
    """The blocking twin of a module."""
    lines = source.splitlines(keepends=True)
    written, at = [_HEADER], (1, 0)
    skip_blank = False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        gap = _between(lines, at, token.start)
        at = token.end
        if token.type == tokenize.NAME and token.string in _DROPPED:
            written.append(gap)
            skip_blank = True
            continue
        written.append(gap.removeprefix(" ") if skip_blank else gap)
        written.append(_renamed(token))
        skip_blank = False
    return "".join(written)


def _renamed(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return _RENAMED.get(token.string) or _OURS.sub(r"\1", token.string)
    if token.type in (tokenize.STRING, tokenize.COMMENT):
        return _OURS.sub(r"\1", _IN_TEXT.sub("", token.string))
    return token.string


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """What stands between two tokens: blanks, and line breaks that are no token."""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]] if start[0] <= len(lines) else ""
    first = lines[start[0] - 1][start[1] :]
    last = lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else ""
    return "".join([first, *lines[start[0] : end[0] - 1], last])
