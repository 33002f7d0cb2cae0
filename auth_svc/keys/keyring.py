"""The keys as a process holds them: read now and then, so that all replicas change over at the same moment."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from auth_svc.keys.signing_keys import PublicKey, SigningKey, signer
from auth_svc.keys.store import KeyStore
from mesh import outages
from mesh.errors import Unavailable
from mesh.reasons import Reason

_log = structlog.get_logger("keys")


class Keyring:
    """What signs now, and what is published.

    Args:
        store: The keys of all replicas.
        more: Other keys to publish.
        reload_seconds: How often to read them.
        monotonic: Seconds on a clock that nobody sets.
    """

    def __init__(
        self,
        store: KeyStore,
        more: Sequence[PublicKey],
        reload_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._more = tuple(more)
        self._reload_seconds = reload_seconds
        self._monotonic = monotonic
        self._keys: Sequence[SigningKey] = ()
        self._read: tuple[datetime, float] | None = None

    async def run(self) -> None:
        """Keeps the keys as they are in the database, and sees that the next one is made in time; for ever."""
        while True:
            try:
                await self.reload()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                _log.warning("keys not read", error=type(error).__name__)
            await asyncio.sleep(self._reload_seconds)

    async def reload(self) -> None:
        """Reads the keys, after making the one that is due."""
        await self._store.maintain()
        asked = self._monotonic()
        keys, now = await self._store.load()
        self._keys, self._read = keys, (now, asked)

    async def current(self) -> tuple[SigningKey, datetime]:
        """The key that signs now, and the time by the database's clock.

        Raises:
            Unavailable: There is none.
        """
        if self._read is None:  # the process has just started, or did so without a database
            await self.reload()
        assert self._read is not None
        told, asked = self._read
        now = told + timedelta(seconds=self._monotonic() - asked)
        key = signer(self._keys, now)
        if key is None:
            raise Unavailable(Reason.UNAVAILABLE, peer="signing keys", retry_after=1.0)
        return key, now

    async def published(self) -> list[PublicKey]:
        """All keys that tokens are or will be signed with."""
        if self._read is None:
            await self.reload()
        return [*(key.public for key in self._keys), *self._more]
