"""A gate in the way of calls, for tests that look at a moment in the middle."""

import asyncio


class Gate:
    """Holds whoever calls it until it is opened."""

    def __init__(self) -> None:
        self.arrived = 0
        self._changed = asyncio.Condition()
        self._open = asyncio.Event()

    async def __call__(self) -> None:
        async with self._changed:
            self.arrived += 1
            self._changed.notify_all()
        await self._open.wait()

    async def held(self, count: int = 1) -> None:
        """Waits until so many are held."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.arrived >= count)

    def open(self) -> None:
        """Lets everybody go, also who comes later."""
        self._open.set()
