"""Asking the database until it is back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mesh import outages

_PAUSE_SECONDS = 1.0

T = TypeVar("T")


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks the database until it answers."""
    while True:
        try:
            return await ask()
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
