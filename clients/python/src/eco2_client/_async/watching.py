"""A scan's or a job's states as they come, over connections that may break."""

from dataclasses import dataclass
from typing import Generic

import msgspec

from eco2_client._async.http import AsyncHttp, AsyncTokens
from eco2_client._async.runtime import Stream, closing
from eco2_client.errors import Disconnected, Eco2Error, ResourceExhausted, TimedOut, Unauthenticated
from eco2_client.models import Reason
from eco2_client.requests import Request
from eco2_client.server_sent_events import ServerSentEvent
from eco2_client.structs import decode
from eco2_client.watched import T, Watched

_POLL_SECONDS = 2.0
_TERMINAL = "TYPE_TERMINAL"


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """A state of a scan, or of a job.

    Attributes:
        of: The scan, or the job.
        ended: Whether it is the last one.
    """

    of: T
    ended: bool


class AsyncWatch(Generic[T]):
    """Follows one scan, or one job, to its end. A cut of the connection isn't noticed: it is taken up where it was.

    Args:
        http: The API.
        tokens: Who brings access tokens.
        watched: What is followed.
        id_: Which one.
        seconds: How long to follow it.
    """

    def __init__(self, http: AsyncHttp, tokens: AsyncTokens, watched: Watched[T], id_: str, seconds: float) -> None:
        self._http = http
        self._tokens = tokens
        self._watched: Watched[T] = watched
        self._id = id_
        self._attempts = http.attempts(seconds)
        self._version = 0
        self._rejected = ""

    async def snapshots(self) -> Stream[Snapshot[T]]:
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
            raise self._watched.late(self._id) from None

    async def _connection(self) -> Stream[Snapshot[T]]:
        """What one connection brings."""
        path = f"{self._watched.path(self._id)}:watch"
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

    def _newer(self, event: ServerSentEvent) -> Snapshot[T] | None:
        """The state that an event brings, if it is a newer one."""
        self._attempts.left()
        if not event.data:  # a heartbeat
            return None
        try:
            told = decode(event.data, self._watched.event)
        except msgspec.MsgspecError:
            raise Disconnected("what answers isn't Eco²") from None
        ended, thing = told.type == _TERMINAL, self._watched.read(told)
        if thing is None or (thing.version <= self._version and not ended):
            return None
        self._version, self._rejected = thing.version, ""
        self._attempts.progressed()
        return Snapshot(thing, ended)

    async def _polled(self) -> Snapshot[T]:
        """The state as it is now: for whoever has as many watches as one may have."""
        request = Request("GET", self._watched.path(self._id), self._watched.form)
        thing = await self._http.call(request, self._tokens, self._attempts.left())
        self._version = max(self._version, thing.version)
        return Snapshot(thing, self._watched.ended(thing))
