"""A scan's states as they come, over connections that may break."""

from dataclasses import dataclass

import msgspec

from eco2_client._async.http import AsyncHttp, AsyncTokens
from eco2_client._async.runtime import Stream, closing
from eco2_client.errors import Disconnected, Eco2Error, ResourceExhausted, TimedOut, Unauthenticated
from eco2_client.events import ENDED
from eco2_client.models import Reason, Scan, WatchScanResponse, WatchScanResponseType
from eco2_client.requests import Request, segment
from eco2_client.server_sent_events import ServerSentEvent
from eco2_client.structs import decode

_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state of a scan.

    Attributes:
        scan: The scan.
        ended: Whether it is the last one.
    """

    scan: Scan
    ended: bool


class AsyncWatch:
    """Follows one scan to its end. Whoever cuts the connection isn't noticed: it is resumed from the last version.

    Args:
        http: The API.
        tokens: Who brings access tokens.
        scan_id: Which scan.
        seconds: How long to follow it.
    """

    def __init__(self, http: AsyncHttp, tokens: AsyncTokens, scan_id: str, seconds: float) -> None:
        self._http = http
        self._tokens = tokens
        self._scan_id = scan_id
        self._attempts = http.attempts(seconds)
        self._version = 0
        self._rejected = ""

    async def snapshots(self) -> Stream[Snapshot]:
        """Every newer state, the last one last; states that follow each other quickly may be left out.

        Raises:
            TimedOut: The time is up.
            ApiError: The watch is refused, such as NotFound.
            Disconnected: Nobody answers until the time is up.
        """
        try:
            while True:
                error: Eco2Error = Disconnected("the watch was cut")
                try:
                    async with closing(self._connection()) as connection:
                        async for snapshot in connection:
                            yield snapshot
                            if snapshot.ended:
                                return
                except Eco2Error as met:
                    error = met
                if isinstance(error, ResourceExhausted) and error.reason == Reason.WATCH_LIMIT:
                    snapshot = await self._polled()
                    yield snapshot
                    if snapshot.ended:
                        return
                    await self._http.clock.sleep(min(_POLL_SECONDS, self._attempts.left()))
                    continue
                await self._http.clock.sleep(self._attempts.pause_after(error))
        except TimedOut:
            raise TimedOut(f"scan {self._scan_id} hasn't ended in the time given", self._scan_id) from None

    async def _connection(self) -> Stream[Snapshot]:
        """What one connection brings."""
        path = f"/v1/scans/{segment(self._scan_id)}:watch"
        token = await self._tokens.current(self._rejected, self._attempts.left())
        try:
            async with closing(self._http.events(path, self._version, token, self._attempts)) as events:
                async for event in events:
                    if (snapshot := self._newer(event)) is not None:
                        yield snapshot
        except Unauthenticated:
            if self._rejected:
                raise
            self._rejected = token

    def _newer(self, event: ServerSentEvent) -> Snapshot | None:
        """The state that an event brings, if it is a newer one."""
        self._attempts.left()
        if not event.data:  # a heartbeat
            return None
        try:
            told = decode(event.data, WatchScanResponse)
        except msgspec.MsgspecError:
            raise Disconnected("what answers isn't Eco²") from None
        ended = told.type is WatchScanResponseType.TERMINAL
        if told.scan is None or (told.scan.version <= self._version and not ended):
            return None
        self._version, self._rejected = told.scan.version, ""
        self._attempts.progressed()
        return Snapshot(told.scan, ended)

    async def _polled(self) -> Snapshot:
        """The state as it is now: for whoever has as many watches as one may have."""
        request = Request("GET", f"/v1/scans/{segment(self._scan_id)}", Scan)
        scan = await self._http.call(request, self._tokens, self._attempts.left())
        self._version = max(self._version, scan.version)
        return Snapshot(scan, scan.state in ENDED)
