"""Scan on stores of its own: PgBouncer in transaction mode, and a replica. Takes Debian's packages."""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from local.files import read_env
from local.stack.background import running
from local.stack.stack import StackPart
from mesh.migrations import direct_address, migrate
from tests.support.stack_folders import stack_folder


class OwnStores:
    """Stores that a test may kill and freeze; they are started again by themselves.

    Args:
        folder: Their folder.
        variables: Their addresses.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder
        self.pooler = variables["ECO2_DATABASE_URL"]
        self.primary = variables["ECO2_DATABASE_LISTEN_URL"]
        self.replica = variables["ECO2_DATABASE_READ_URL"]

    @property
    def settings(self) -> Mapping[str, str]:
        """As a service is told of them."""
        return {
            "database_url": self.pooler,
            "database_listen_url": self.primary,
            "database_read_url": self.replica,
        }

    def kill(self, name: str) -> None:
        """kill -9."""
        os.kill(self._pid(name), signal.SIGKILL)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """It answers nobody until the block ends, nor do the processes that serve its clients."""
        server = psutil.Process(self._pid(name))
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def _pid(self, name: str) -> int:
        pairs = (pair.split("=") for pair in read_env(self._folder / "stack.env")["ECO2_PIDS"].split(","))
        return int(dict(pairs)[name])


@pytest.fixture(scope="module")
def own_stores() -> Iterator[OwnStores]:
    """The stores, with every service's tables."""
    with (
        stack_folder() as folder,
        running(folder, part=StackPart.STORES, stores=("pgbouncer", "replica")) as variables,
    ):
        asyncio.run(migrate(direct_address(variables), "scan_svc", "rules_svc", "character_svc", "auth_svc"))
        yield OwnStores(folder, variables)


@pytest.fixture
def database_url(own_stores: OwnStores) -> str:
    """PostgreSQL itself."""
    return own_stores.primary


@pytest.fixture
def database_settings(own_stores: OwnStores) -> Mapping[str, str]:
    """As the services in these tests are told of it."""
    return own_stores.settings
