"""The log as the consumers in this process follow it.

Each asks for the page that follows its own cursor, when it has room for it: nothing is kept for one that doesn't read.
Who stands at the same place shares the page, and those who are up to date all do.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from mesh.errors import ResourceExhausted
from mesh.reasons import Reason
from scan_svc.events.events import Cursor, Page
from scan_svc.events.store import EventStore

LATEST = "latest"

_PAGE = 200
_KEPT_PAGES = 8
# The first look after a notification, and the pause that grows from there while nothing comes.
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.1, 1.0


class EventLog:
    """Pages for consumers, and when to ask for the next one.

    Args:
        store: The log.
        hear: Calls back at each notification that there is news, for ever.
        limit: Consumers at once.
        heartbeat_seconds: Silence after which a consumer is told where it stands.
    """

    def __init__(
        self,
        store: EventStore,
        hear: Callable[[Callable[[], None]], Awaitable[None]],
        limit: int,
        heartbeat_seconds: float,
    ) -> None:
        self._store = store
        self._hear = hear
        self._limit = limit
        self._heartbeat_seconds = heartbeat_seconds
        self._pages: OrderedDict[Cursor, Page] = OrderedDict()
        self._asked: dict[Cursor, asyncio.Task[Page]] = {}
        self._news = asyncio.Event()
        self._hearing: asyncio.Task[None] | None = None
        self._draining = False
        self._count = 0

    @property
    def count(self) -> int:
        """Consumers at the moment."""
        return self._count

    async def follow(self, start: str, seconds: float | None = None) -> AsyncGenerator[Page, None]:
        """Pages from a place on, for as long as the consumer takes them; an empty one after a silence.

        Args:
            start: A cursor; empty for the oldest event that is kept, "latest" for what comes.
            seconds: How long it may last.

        Raises:
            InvalidArgument: It isn't a cursor.
            OutOfRange: What follows isn't kept, or lies beyond the end.
            ResourceExhausted: Too many consumers in this process.
        """
        loop = asyncio.get_running_loop()
        ends_at = None if seconds is None else loop.time() + seconds - 1.0
        with self._counted():
            cursor = await self._begin(start)
            await self._after(cursor)  # refused at once, if it is no place in the log
            yield Page((), cursor)  # the consumer is told where it stands
            told, pause = loop.time(), _SHORTEST_SECONDS
            while not self._draining and (ends_at is None or loop.time() < ends_at):
                news = self._news  # before the page is read: what comes meanwhile isn't slept through
                page = await self._after(cursor)
                if page.events or loop.time() - told >= self._heartbeat_seconds:
                    yield page
                    told = loop.time()
                if page.events:
                    cursor, pause = page.cursor, _SHORTEST_SECONDS
                else:
                    pause = await _rest(news, pause)

    def drain(self) -> None:
        """Ends all streams in order: consumers go on elsewhere, from their cursors."""
        self._draining = True
        self._news.set()

    async def _begin(self, start: str) -> Cursor:
        if not start:
            return await self._store.oldest()
        return await self._store.latest() if start == LATEST else Cursor.parse(start)

    async def _after(self, cursor: Cursor) -> Page:
        """The page that follows a place, read once for all who ask at a time, and for those who come soon after."""
        if page := self._pages.get(cursor):
            return page
        task = self._asked.get(cursor)
        if task is None:
            task = self._asked[cursor] = asyncio.create_task(self._store.page(cursor, _PAGE), name="page of events")
            task.add_done_callback(lambda done: self._keep(cursor, done))
        return await asyncio.shield(task)  # another consumer may wait for it, too

    def _keep(self, cursor: Cursor, done: asyncio.Task[Page]) -> None:
        del self._asked[cursor]
        if done.cancelled() or done.exception() or not done.result().events:
            return
        self._pages[cursor] = done.result()
        while len(self._pages) > _KEPT_PAGES:
            self._pages.popitem(last=False)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self._count >= self._limit:
            raise ResourceExhausted(Reason.WATCH_LIMIT, limit="event_consumers", most=self._limit, retry_after=1.0)
        self._count += 1
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._listen(), name="news of events")
        try:
            yield
        finally:
            self._count -= 1
            if not self._count and self._hearing:
                self._hearing.cancel()
                self._hearing = None

    async def _listen(self) -> None:
        """Listens while there are consumers: an idle process needs no connection for it."""
        await self._hear(self._wake)

    def _wake(self) -> None:
        """Lets everybody who waits now look."""
        news, self._news = self._news, asyncio.Event()
        news.set()


async def _rest(news: asyncio.Event, pause: float) -> float:
    """Waits for news, a while at most; returns how long to wait the next time."""
    try:
        async with asyncio.timeout(pause):
            await news.wait()
    except TimeoutError:
        return min(2 * pause, _LONGEST_SECONDS)
    return _SHORTEST_SECONDS
