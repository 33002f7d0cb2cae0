"""Files that are written whole or not at all, readable by their owner only."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from local.errors import Misuse

T = TypeVar("T")

ENV_FILE = "stack.env"  # the running stack's addresses and a token, in its folder


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step, mode 0600: a reader sees the old text or the new."""
    with open_private(path) as file:
        file.write(text.encode())


@contextmanager
def open_private(path: Path) -> Iterator[BinaryIO]:
    """A file to write, mode 0600, that takes the place of the one at `path` when the block ends well."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_json(path: Path, kind: type[T]) -> T:
    """Reads JSON of a known shape.

    Raises:
        FileNotFoundError: There is no such file.
        Misuse: Its content is something else.
    """
    import msgspec  # here: most commands read none

    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Misuse(f"{path} isn't as the stack wrote it: {error}") from None


def write_env(path: Path, variables: Mapping[str, str]) -> None:
    """Writes `KEY=value` lines that a POSIX shell can source."""
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))


def read_env(path: Path) -> dict[str, str]:
    """Reads what `write_env` wrote.

    Raises:
        FileNotFoundError: There is no such file.
    """
    pairs = (word.partition("=") for word in shlex.split(path.read_text(encoding="utf-8")))
    return {name: value for name, _, value in pairs}
