"""Sees that the data of users who are gone follows them, however long a service is away and whatever dies meanwhile."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from auth_svc.departures.departures import Departure
from auth_svc.departures.peers import UserDataPeers
from auth_svc.departures.store import DepartureStore
from mesh import outages
from mesh.errors import EcoError

_log = structlog.get_logger("departures")

_AT_ONCE = 4
# How often to look: another replica may have died with what it held.
_LOOK_SECONDS = 5.0
# How long whoever has just signed in waits for what was theirs as a guest.
_PATIENCE_SECONDS = 3.0


class DepartureWorker:
    """Works departures off.

    Args:
        store: Those that aren't over.
        data: The services that keep users' data.
        draw: A random number from 0 to 1.
    """

    def __init__(self, store: DepartureStore, data: UserDataPeers, draw: Callable[[], float] = random.random) -> None:
        self._store = store
        self._data = data
        self._draw = draw
        self._wake = asyncio.Event()

    async def close(self, user_id: str) -> tuple[datetime, datetime]:
        """Closes a user's account; their data goes in a moment.

        Returns:
            When, and until when an access token may still be good.
        """
        times = await self._store.close(user_id)
        self._wake.set()
        return times

    async def follow(self, departure: Departure) -> None:
        """Works on one that was just decided and is nobody's yet, for a moment; the rest follows by itself."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._work(departure)
        except Exception as error:
            if outages.from_exception(error) is None:
                raise

    async def run(self) -> None:
        """Works on whatever is due, for ever."""
        while True:
            self._wake.clear()
            try:
                due = await self._store.claim(_AT_ONCE)
                await asyncio.gather(*map(self._work, due))
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                _log.warning("departures put off", error=type(error).__name__)
                due = []
            if not due:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._wake.wait()

    async def _work(self, departure: Departure) -> None:
        try:
            if departure.to_user is None:
                done = await self._data.erase(departure.user_id)
            else:
                done = await self._data.transfer(departure.user_id, departure.to_user)
        except EcoError as error:
            _log.warning("user's data didn't follow", tries=departure.tries + 1, reason=error.reason)
            await self._store.put_off(departure, departure.pause(self._draw()), in_vain=True)
        else:
            if done:
                await self._store.settle(departure)
            else:
                await self._store.put_off(departure, 0.0, in_vain=False)
