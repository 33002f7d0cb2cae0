"""Both clients before one fake API, on a clock of their own."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from eco2_client import AsyncClient, Client, ScanEvent
from eco2_client._async import client as async_client
from eco2_client._sync import client as sync_client
from tests.clients.python.fake_api import BASE, FakeApi


@dataclass
class FakeClock:
    """Time that passes only when somebody waits.

    Attributes:
        pauses: How long anybody waited.
    """

    pauses: list[float] = field(default_factory=list)
    time: float = 1000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds

    def outage(self, seconds: float) -> Callable[[], bool]:
        """Whether it lasts, for `FakeApi.outages`: from now for so long, and each try finds out after four seconds."""
        over = self.time + seconds

        def lasts() -> bool:
            lasted = self.time < over
            self.time += 4 * lasted
            return lasted

        return lasts


class AsyncFakeClock(FakeClock):
    """The same, to be awaited."""

    async def sleep(self, seconds: float) -> None:  # type: ignore[override]
        super().sleep(seconds)


class Caller:
    """One of the two clients.

    Args:
        kind: "async" or "sync".
        api: What it speaks to.
        clock: Its clock.
    """

    def __init__(self, kind: str, api: FakeApi, clock: FakeClock) -> None:
        self._kind = kind
        self._api = api
        self.clock = clock

    def __call__(self, *uses: Callable[[Any], Any], **options: Any) -> Any:
        """What the last of some uses of one client gives, when it has been awaited; of a stream all that it brings."""
        transport = httpx2.MockTransport(self._api)
        options = {"base_url": BASE, **options}
        if self._kind == "async":
            return asyncio.run(_in_asyncio(uses, transport, options))
        with httpx2.Client(transport=transport) as http, Client(http=http, **options) as client:
            for use in uses:
                given = use(client)
                given = list(given) if hasattr(given, "__next__") else given
            return given

    def scan(self, photo: Any, **options: Any) -> list[ScanEvent]:
        """The events of a scan."""
        events: list[ScanEvent] = self(lambda client: client.scan(photo, max_side=None, **options))
        return events


async def _in_asyncio(
    uses: Sequence[Callable[[Any], Any]], transport: httpx2.MockTransport, options: dict[str, Any]
) -> Any:
    async with httpx2.AsyncClient(transport=transport) as http, AsyncClient(http=http, **options) as client:
        for use in uses:
            given = use(client)
            if hasattr(given, "__anext__"):
                given = [event async for event in given]
            given = await given if inspect.isawaitable(given) else given
        return given


@pytest.fixture
def api() -> FakeApi:
    """An API without faults."""
    return FakeApi()


@pytest.fixture(params=["async", "sync"])
def caller(request: pytest.FixtureRequest, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Each of the two clients."""
    clock = AsyncFakeClock() if request.param == "async" else FakeClock()
    for module in (async_client, sync_client):
        monkeypatch.setattr(module, "Clock", lambda: clock)
    return Caller(request.param, api, clock)


@pytest.fixture
def photo() -> bytes:
    """The beginning of a JPEG; nobody here looks further."""
    return b"\xff\xd8\xff\xe0 a photo"
