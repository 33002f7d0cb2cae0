"""The real servers behind the suite: one embedded stack for all of it, a fresh database for each test.

The controller starts the stack before the workers of pytest-xdist, which find it in their environment. Unit tests need
no servers, so a run of those alone starts none.
"""

import asyncio
import json
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from local.stack import stack as embedded
from mesh.migrations import migrate
from tests.support.storage import Storage

ROOT = Path(__file__).parents[1]
_VARIABLE = "ECO2_TEST_STACK"
_TEMPLATE = "eco2_template"
_servers = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Starts the stack, once, in the process that hands out the tests."""
    is_worker = hasattr(config, "workerinput")
    unit_only = all("tests/unit" in argument for argument in config.args)
    if is_worker or unit_only or config.option.collectonly or config.option.help:
        return
    servers = config.stash[_servers] = ExitStack()
    folder = Path(servers.enter_context(tempfile.TemporaryDirectory(prefix="eco2-tests-")))
    variables = servers.enter_context(embedded.running(folder))
    asyncio.run(_make_template(variables["ECO2_DATABASE_URL"]))
    os.environ[_VARIABLE] = json.dumps({**variables, "VAR": str(folder)})


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops what was started."""
    if _servers in config.stash:
        config.stash[_servers].close()


@pytest.fixture(scope="session")
def stack() -> Mapping[str, str]:
    """The addresses of the running stack, as in `var/stack.env`; VAR is its folder."""
    variables: dict[str, str] = json.loads(os.environ[_VARIABLE])
    return variables


@pytest.fixture
async def database_url(stack: Mapping[str, str]) -> AsyncIterator[str]:
    """A fresh database with every service's tables, cloned from a template."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(stack["ECO2_DATABASE_URL"])
    try:
        await admin.execute(f"create database {name} template {_TEMPLATE}")
        yield _with_database(stack["ECO2_DATABASE_URL"], name)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


@pytest.fixture(scope="session")
def redis_url(stack: Mapping[str, str]) -> str:
    """The stack's Valkey; keys carry ids, so tests don't meet."""
    return stack["ECO2_REDIS_URL"]


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
    """A database with every service's tables and nobody connected, to clone."""
    admin = await asyncpg.connect(dsn)
    await admin.execute(f"create database {_TEMPLATE}")
    await admin.close()
    await migrate(_with_database(dsn, _TEMPLATE), "scan_svc", "rules_svc", "character_svc")


def _with_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
