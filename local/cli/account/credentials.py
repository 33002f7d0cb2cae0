"""Who is signed in where: tokens in the user's own configuration folder, readable by nobody else."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from local.errors import Misuse
from local.files import read_json, write_private


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """One session. Has no `repr`, since it holds secrets.

    Attributes:
        user_id: Whose.
        access_token: For calls.
        expires_at: Until when that is good, in seconds since the epoch.
        refresh_token: For the next pair.
        refresh_id: The request id of that refresh: whoever lost its reply may send it again.
    """

    user_id: str
    access_token: str
    expires_at: float
    refresh_token: str
    refresh_id: str


class CredentialStore:
    """Sessions by the address of their edge.

    Args:
        file: Where they are kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self | None:
        """The user's own, by the XDG base directories; None for a user without a home."""
        if configuration := environment.get("XDG_CONFIG_HOME"):
            return cls(Path(configuration) / "eco2" / "credentials.json")
        if home := environment.get("HOME"):
            return cls(Path(home) / ".config" / "eco2" / "credentials.json")
        return None

    @classmethod
    def required(cls, environment: Mapping[str, str]) -> Self:
        """The user's own.

        Raises:
            Misuse: The user has no home.
        """
        if (store := cls.of(environment)) is None:
            raise Misuse("There is nowhere to keep a session: neither HOME nor XDG_CONFIG_HOME is set")
        return store

    def get(self, rest_url: str) -> Credentials | None:
        """The session at an edge; None if nobody is signed in there."""
        return self._read().get(rest_url)

    def put(self, rest_url: str, credentials: Credentials | None) -> None:
        """Keeps a session, or forgets it. Call it in `locked`."""
        known = self._read()
        if credentials:
            known[rest_url] = credentials
        else:
            known.pop(rest_url, None)
        write_private(self._file, json.dumps({url: asdict(one) for url, one in known.items()}, indent=1))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other commands from refreshing at the same time: a refresh token is good once."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._file.with_name("lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> dict[str, Credentials]:
        return read_json(self._file, dict[str, Credentials]) if self._file.exists() else {}
