"""The real servers behind the suite: one embedded stack for all of it, a fresh database for each test.

The controller of pytest-xdist starts the stack; it gets ready while the workers collect, which find it through their
environment. Unit tests need no servers, so a run of those alone starts none.
"""

import asyncio
import gc
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from local.stack.background import starting
from mesh.migrations import direct_address, migrate
from ratelimit_svc.limits import load_limits
from tests.support.mutual_tls import MutualTls
from tests.support.redis_servers import planned
from tests.support.stack_folders import stack_folder
from tests.support.storage import Storage

ROOT = Path(__file__).parents[1]
_VARIABLE = "ECO2_TEST_STACK"
_STORES = "ECO2_TEST_STORES"  # in which shapes the stores run, as `eco2 up --stores` takes them
_ADDRESSES = "tests.json"
_TEMPLATE = "eco2_template"
# Most tests call as the stack's one user, who would reach the limits of one.
_LIMITS = {name: {"user": 1_000_000} for name, limit in load_limits().items() if limit.user is not None}
_servers = pytest.StashKey[ExitStack]()
_ready = pytest.StashKey[Callable[[], dict[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Starts the stack, once, in the process that hands out the tests."""
    gc.set_threshold(20_000, 20, 50)  # in no service: see mesh.process.garbage
    is_worker = hasattr(config, "workerinput")
    unit_only = all("tests/unit" in argument for argument in config.args)
    if is_worker or unit_only or config.option.collectonly or config.option.help:
        return
    servers = config.stash[_servers] = ExitStack()
    folder = servers.enter_context(stack_folder())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ECO2_LIMITS", json.dumps(_LIMITS))
        environment.delenv("ECO2_AUTH_CLIENTS", raising=False)
        shapes = [name for name in os.environ.get(_STORES, "").split(",") if name]
        config.stash[_ready] = servers.enter_context(starting(folder, demo=True, stores=shapes))
    os.environ[_VARIABLE] = str(folder)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Five thousand tests and what they import stay to the end: the collector needn't look at them each time."""
    gc.freeze()
    _await_servers(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """A worker has collected: it isn't told to run anything before this returns."""
    _await_servers(node.config)


def _await_servers(config: pytest.Config) -> None:
    """Where the servers were started: waits until they are ready, once, and writes down where they are."""
    if ready := config.stash.get(_ready, None):
        del config.stash[_ready]
        variables = ready()
        asyncio.run(_make_template(direct_address(variables)))
        folder = Path(os.environ[_VARIABLE])
        (folder / _ADDRESSES).write_text(json.dumps({**variables, "VAR": str(folder)}), encoding="utf-8")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops what was started."""
    if _servers in config.stash:
        config.stash[_servers].close()


@pytest.fixture(scope="session")
def stack() -> Mapping[str, str]:
    """The addresses of the running stack, as in `var/stack.env`; VAR is its folder."""
    addresses = Path(os.environ[_VARIABLE]) / _ADDRESSES
    variables: dict[str, str] = json.loads(addresses.read_text(encoding="utf-8"))
    return variables


@pytest.fixture
async def database_url(stack: Mapping[str, str]) -> AsyncIterator[str]:
    """A fresh database with every service's tables, cloned from a template; past a pooler, if there is one."""
    async with _cloned(direct_address(stack)) as url:
        yield url


@pytest.fixture
def database_settings(stack: Mapping[str, str], database_url: str) -> Mapping[str, str]:
    """How a service is told of that database: with the pooler and the replica that the stack has, if it has them."""
    name = urlsplit(database_url).path.removeprefix("/")
    told = ("ECO2_DATABASE_URL", "ECO2_DATABASE_LISTEN_URL", "ECO2_DATABASE_READ_URL")
    return {
        variable.removeprefix("ECO2_").lower(): _with_database(stack[variable], name)
        for variable in told
        if variable in stack
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def read_database_url(stack: Mapping[str, str]) -> AsyncIterator[str]:
    """A database for the tests that find in it what a service puts there at its start, and write nothing."""
    async with _cloned(direct_address(stack)) as url:
        yield url


@pytest.fixture(scope="session")
def mutual_tls(tmp_path_factory: pytest.TempPathFactory) -> MutualTls:
    """An authority, with certificates for whom a test names; see `tests/support/mutual_tls.py`."""
    return MutualTls(tmp_path_factory.mktemp("tls"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked so runs on each shape of Redis; on others than the stack's own it is slow."""
    if metafunc.definition.get_closest_marker("redis_shapes") and "redis_url" in metafunc.fixturenames:
        shapes = ["single", *(pytest.param(shape, marks=pytest.mark.slow) for shape in ("sentinel", "cluster"))]
        metafunc.parametrize("redis_url", shapes, indirect=True, scope="session")


@pytest.fixture(scope="session")
def redis_url(
    request: pytest.FixtureRequest, stack: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The stack's Valkey, or one in another shape; keys carry ids, so tests don't meet."""
    shape = getattr(request, "param", "single")
    if shape == "single":
        yield stack["ECO2_REDIS_URL"]
        return
    servers = planned(tmp_path_factory.mktemp(shape), shape)
    try:
        asyncio.run(servers.start())
        yield servers.url
    finally:
        asyncio.run(servers.aclose())


@pytest.fixture(scope="session")
def s3(stack: Mapping[str, str]) -> Storage:
    """The stack's object storage."""
    return Storage(
        stack["ECO2_S3_ENDPOINT"],
        stack["ECO2_S3_BUCKET"],
        stack["ECO2_S3_REGION"],
        stack["ECO2_S3_ACCESS_KEY"],
        stack["ECO2_S3_SECRET_KEY"],
        stack["ECO2_CDN_BASE_URL"],
    )


async def _make_template(dsn: str) -> None:
    """A database with every service's tables and nobody connected, to clone.

    Nothing here outlives the machine, so the server needn't wait for its disk: a clone takes half the CPU then. What is
    written survives the end of its process all the same.
    """
    admin = await asyncpg.connect(dsn)
    await admin.execute("alter system set fsync = off")
    await admin.execute("alter system set full_page_writes = off")
    await admin.execute("select pg_reload_conf()")
    await admin.execute(f"create database {_TEMPLATE}")
    await admin.close()
    await migrate(_with_database(dsn, _TEMPLATE), "scan_svc", "rules_svc", "character_svc", "auth_svc")


@asynccontextmanager
async def _cloned(dsn: str) -> AsyncIterator[str]:
    """A clone of the template, until the block ends. Copied as files: 10 MB as WAL take more."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute(f"create database {name} template {_TEMPLATE} strategy file_copy")
        yield _with_database(dsn, name)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


def _with_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
