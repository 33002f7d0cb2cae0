"""One run from the first scan to the verdict's material."""

import asyncio
import contextlib
import os
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import grpc
import httpx2

from local.stack.ports import HOST
from local.stack.secrets import Secrets
from local.stack.supervisor import Child, Program
from local.stack.tokens import Tokens
from tests.chaos.event_reader import EventReader
from tests.chaos.mesh import isolation
from tests.chaos.mesh.clients.histories import History, JobKind
from tests.chaos.mesh.clients.job_users import JobUser, Photos
from tests.chaos.mesh.clients.transport import Transport
from tests.chaos.mesh.clients.users import Client
from tests.chaos.mesh.fault_injector import FaultInjector
from tests.chaos.mesh.judge.jobs_left import collect_jobs
from tests.chaos.mesh.judge.observations import Observations, collect
from tests.chaos.mesh.judge.photos import SETTLE_SECONDS, SWEEP_SECONDS, bucket_of, collect_photos
from tests.chaos.mesh.plan import Plan
from tests.chaos.mesh.webhook_receiver import receiving
from tests.chaos.observations import install_audit

# A lease of 15 s would be most of a short run; everything else is as `make up` has it, but for photos' removal.
LEASE_SECONDS = 5.0

_AUDIT_OF_JOBS = Path(__file__).with_name("audit_jobs.sql")
# What those users ask for, again and again, who have jobs done.
_JOBS = (
    (JobKind.SHEET, JobKind.ARCHIVE),
    (JobKind.PACKED, JobKind.TABLE),
    (JobKind.CLIP, JobKind.TABLE),
)
_FINISH_SECONDS = 150.0
_QUIET_SECONDS = 90.0
_CONNECT_SECONDS = 5.0
_SILENCE_SECONDS = 25.0

Say = Callable[[str], None]
User = Callable[[asyncio.Event], Awaitable[None]]

# A webhook that failed twice is due in five minutes: no run waits for that.
_HURRY = "update scan.job set run_at = now() where kind = 'webhook' and state = 'READY' and run_at > now()"
_BUSY = "select count(*) from scan.job where state in ('READY', 'LEASED')"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a run takes place.

    Attributes:
        folder: Of the stack.
        variables: The stack's addresses.
        model_port: Where the model is expected.
    """

    folder: Path
    variables: Mapping[str, str]
    model_port: int


async def run(plan: Plan, site: Site, say: Say) -> Observations:
    """Lets the plan happen; returns what is known when everything has come to rest, or hasn't for long."""
    origin = time.monotonic()
    skipped: dict[str, str] = {}
    async with contextlib.AsyncExitStack() as stack:
        model = await stack.enter_async_context(_model(site, plan.seed, say))
        receiver, hooks = None, ""
        if isolation.isolated():
            receiver, hooks = await stack.enter_async_context(receiving(isolation.ADDRESS, site.folder, plan.seed))
        await _audit(site)
        injector = FaultInjector(site.folder, lambda: model.pid, disks=isolation.isolated(), say=say)
        stop = asyncio.Event()
        histories = [History(f"user-{number}") for number in range(plan.clients + len(_JOBS))]
        reader = await stack.enter_async_context(_reading(site))
        if not hooks:
            skipped["sheets of addresses"] = "no network namespaces here; zips instead"
        async with _users(plan, site, histories, hooks) as users:
            working = [asyncio.ensure_future(user(stop)) for user in users]
            await injector.deal(plan)
            stop.set()
            say(f"{len(injector.hits)} blows dealt; waiting for the last scans")
            await _finished(working, skipped)
        if receiver:
            receiver.healthy = True
        connection = await _quiet(site, say)
        try:
            say("waiting for the last photos to go")
            photos = await collect_photos(connection, site.variables)
            jobs = await collect_jobs(connection, bucket_of(site.variables), histories)
            await reader.finish()
            return await collect(
                connection, site.folder / "journals", histories, receiver.deliveries if receiver else None,
                photos, jobs, reader.read, injector.hits, LEASE_SECONDS, origin, {**injector.skipped, **skipped},
            )  # fmt: skip
        finally:
            await connection.close()


@asynccontextmanager
async def _model(site: Site, seed: int, say: Say) -> AsyncIterator[Child]:
    """The hosted model, started again whenever it dies."""

    async def ready() -> None:
        with socket.create_connection((HOST, site.model_port), timeout=1.0):
            pass

    folder = site.folder / "journals"
    command = [sys.executable, "-m", "tests.chaos.mesh.clients.model", str(folder), str(site.model_port), str(seed)]
    program = Program(name="model", command=command, ready=ready)
    child = Child(program, site.folder / "log" / "model.log", say, lambda: None)
    await child.start()
    try:
        yield child
    finally:
        await child.stop()


@asynccontextmanager
async def _reading(site: Site) -> AsyncIterator[EventReader]:
    """A consumer of the events, from the first one on."""
    async with asyncpg.create_pool(site.variables["ECO2_DATABASE_URL"], min_size=0, max_size=2) as pool:
        reader = EventReader(pool)
        task = asyncio.create_task(reader.run())
        try:
            yield reader
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _users(plan: Plan, site: Site, histories: Sequence[History], hooks: str) -> AsyncIterator[list[User]]:
    """What each user does until told to stop: most scan, the last few have jobs done as well."""
    tokens = Tokens(Secrets.load_or_create(site.folder / "secrets").signing_key)
    timeout = httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    async with (
        httpx2.AsyncClient(base_url=site.variables["ECO2_REST_URL"], timeout=timeout) as http,
        httpx2.AsyncClient(timeout=timeout) as storage,
        grpc.aio.insecure_channel(site.variables["ECO2_GRPC_TARGET"]) as channel,
    ):
        users: list[User] = []
        photos = Photos.at(hooks)
        for number, history in enumerate(histories):
            token = tokens.issue(history.client)
            transport = Transport(history, http, storage, token)
            address = f"{hooks}/{history.client}" if hooks else ""
            client = Client(number, plan.seed, transport, history, channel, token, address)
            if number < plan.clients:
                users.append(client.scan_on)
            else:
                chance = random.Random(f"{plan.seed} jobs {number}")
                kinds = _JOBS[number - plan.clients]
                users.append(JobUser(kinds, chance, transport, history, client, photos).work_on)
        yield users


async def _finished(working: Sequence["asyncio.Future[None]"], skipped: dict[str, str]) -> None:
    """Waits for the clients' last scans; whoever still waits then has met a scan that doesn't end."""
    _, late = await asyncio.wait(working, timeout=_FINISH_SECONDS)
    for task in late:
        task.cancel()
    results = await asyncio.gather(*working, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    if late:
        skipped[f"the ends of {len(late)} clients"] = f"they still waited after {_FINISH_SECONDS:.0f} s"


async def _audit(site: Site) -> None:
    connection = await asyncpg.connect(site.variables["ECO2_DATABASE_URL"])
    await install_audit(connection)
    await connection.execute(_AUDIT_OF_JOBS.read_text(encoding="utf-8"))
    await connection.close()


async def _quiet(site: Site, say: Say) -> asyncpg.Connection:
    """A connection to the database once there is nothing left to do, or, so that it can be judged, after a while."""
    deadline = time.monotonic() + _QUIET_SECONDS
    while True:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(site.variables["ECO2_DATABASE_URL"], timeout=5.0)
            while time.monotonic() < deadline and (left := await connection.fetchval(_BUSY)):
                await connection.execute(_HURRY)
                say(f"{left} jobs left")
                await asyncio.sleep(1.0)
            return connection
        await asyncio.sleep(0.5)


def environment(site_folder: Path, model_port: int) -> dict[str, str]:
    """What the services are told: a model to call, and a lease and pauses that are shorter than a run."""
    return {
        "OPENAI_API_KEY": "sk-nobody",
        "ECO2_OPENAI_BASE_URL": f"http://{HOST}:{model_port}/v1",
        "ECO2_LEASE_SECONDS": str(LEASE_SECONDS),
        "ECO2_PHOTO_SETTLE_SECONDS": str(SETTLE_SECONDS),
        "ECO2_SWEEP_AFTER_SECONDS": str(SWEEP_SECONDS),
        **({"SSL_CERT_FILE": str(site_folder / "trusted.pem")} if isolation.isolated() else {}),
        "PATH": os.environ.get("PATH", ""),
    }
