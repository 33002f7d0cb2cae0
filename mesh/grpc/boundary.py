"""What all calls to a service share: their limit, what is measured of them, how many are at work."""

import asyncio
import contextlib

from mesh.grpc.limits import CallLimit
from mesh.grpc.metrics import RpcMetrics
from mesh.observability.telemetry import Telemetry


class Boundary:
    """What all calls to a service share.

    Args:
        shared: Where spans and figures go.
        limit: How many unary calls may be at work at once.

    Attributes:
        cutting: Whether the server ends what is still at work, since it stops.
    """

    def __init__(self, shared: Telemetry, limit: CallLimit) -> None:
        self.telemetry = shared
        self.limit = limit
        self.cutting = False
        self.metrics = RpcMetrics(shared.instruments, shared.service, limit.most)
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """Counts a handler in."""
        self._active += 1
        self._idle.clear()

    def leave(self) -> None:
        """Counts a handler out."""
        self._active -= 1
        if not self._active:
            self._idle.set()

    async def idle(self, timeout: float) -> None:
        """Waits until no handler runs, `finally` blocks included: `Server.stop` may return before that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._idle.wait()
