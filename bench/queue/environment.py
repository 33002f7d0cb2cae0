"""Where everything is measured: one PostgreSQL, a fresh database for each figure, and the clients that submit."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil
import uuid_utils

from local.files import ENV_FILE, read_env
from local.stack.background import running
from local.stack.stack import StackPart
from mesh.migrations import migrate
from mesh.postgres import Pool
from scan_svc.jobs.leases import SCAN_KIND
from scan_svc.jobs.notifier import Notifier
from scan_svc.scans import NewScan, Photo, ScanRequest
from scan_svc.store import ScanStore

CLIENTS = 32

_TEMPLATE = "bench_template"
_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True, slots=True)
class Yard:
    """A server of its own.

    Attributes:
        dsn: The server's own database.
        postgres: The server's first process.
    """

    dsn: str
    postgres: psutil.Process

    async def prepare(self) -> None:
        """Makes the template of all databases."""
        admin = await asyncpg.connect(self.dsn)
        await admin.execute(f"create database {_TEMPLATE}")
        await admin.close()
        await migrate(_with_database(self.dsn, _TEMPLATE), "scan_svc")

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """A fresh database with the service's tables, and the server with nothing left to write."""
        name = f"bench_{uuid.uuid4().hex}"
        admin = await asyncpg.connect(self.dsn)
        await admin.execute(f"create database {name} template {_TEMPLATE}")
        await admin.execute("checkpoint")
        try:
            yield _with_database(self.dsn, name)
        finally:
            await admin.execute(f"drop database {name} with (force)")
            await admin.close()


@contextmanager
def opened(folder: Path) -> Iterator[Yard]:
    """Starts the server, as `eco2 up` does, fsync on."""
    with running(folder, part=StackPart.STORES) as variables:
        pids = dict(pair.split("=") for pair in read_env(folder / ENV_FILE)["ECO2_PIDS"].split(","))
        yield Yard(variables["ECO2_DATABASE_URL"], psutil.Process(int(pids["postgres"])))


class Submitter:
    """Submits scans as the service does: a transaction each, and the workers woken.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: Pool) -> None:
        self._store = ScanStore(pool)
        self._notifier = Notifier(pool)

    async def submit(self) -> None:
        """Submits one scan."""
        await self._store.create(_new_scan(), _TRACEPARENT)
        self._notifier.wake(SCAN_KIND)

    async def submit_many(self, count: int) -> list[float]:
        """Submits scans from several clients at once; returns the seconds each took."""
        left = iter(range(count))
        latencies: list[float] = []

        async def client() -> None:
            for _ in left:
                began = time.monotonic()
                await self.submit()
                latencies.append(time.monotonic() - began)

        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(client())
        return latencies


def _new_scan() -> NewScan:
    scan_id = str(uuid_utils.uuid7())
    photo = Photo(f"http://127.0.0.1/photos/{scan_id}.jpg", f"photos/{scan_id}.jpg")
    asked = ScanRequest(user_id="bench", request_id=scan_id, payload_hash=b"\0" * 32, photo=photo.image_url)
    return NewScan(scan_id, photo, asked)


def _with_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
