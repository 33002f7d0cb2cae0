"""The release before this one, as a process of its own: the programs of a commit, in this release's environment."""

import asyncio
import contextlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from local.stack.ports import HOST
from local.stack.services import probe
from tests.support.ports import free_port
from tests.support.waiting import eventually

# What was landed last before this release. After a release: its commit, whose dependencies must be those of the lock.
ROOT = Path(__file__).parents[4]
COMMIT = "a0173149bb98d579ffd4a190716647d349800561"
_PARTS = ("gen", "mesh", "scan_svc")


class Release:
    """Its programs.

    Args:
        folder: Where they are unpacked.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        archive = subprocess.run(["git", "archive", COMMIT, *_PARTS], cwd=ROOT, capture_output=True, check=False)
        if archive.returncode:
            pytest.skip(f"no commit {COMMIT[:7]} here: a clone without its history, or no clone")
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(folder, filter="data")

    async def migrate(self, database_url: str) -> None:
        """Makes Scan's tables as that release has them."""
        command = ("-m", "mesh.postgres", "migrate", "scan_svc")
        process = await self._start(command, {"ECO2_DATABASE_URL": database_url})
        assert await process.wait() == 0

    @asynccontextmanager
    async def scan(self, settings: Mapping[str, object]) -> AsyncIterator["Running"]:
        """That release's Scan, serving; it has ended when the block is left.

        Args:
            settings: As this release takes them.
        """
        target = f"{HOST}:{free_port()}"
        environment = {f"ECO2_{name.upper()}": str(value) for name, value in settings.items()}
        process = await self._start(("-m", "scan_svc"), {**environment, "ECO2_LISTEN": target})
        running = Running(process, target)
        try:
            await eventually(running.serves, 60.0)
            yield running
        finally:
            await running.end()

    async def _start(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        path = f"{self._folder}{os.pathsep}{self._folder / 'gen'}"
        return await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=self._folder, env={"PYTHONPATH": path, **environment}
        )


class Running:
    """One process.

    Attributes:
        target: Where it serves.
    """

    def __init__(self, process: asyncio.subprocess.Process, target: str) -> None:
        self._process = process
        self.target = target

    async def serves(self) -> bool:
        """Whether it is ready."""
        assert self._process.returncode is None, "it ended"
        try:
            await probe(self.target)
        except (grpc.RpcError, ConnectionError):
            return False
        return True

    async def end(self) -> None:
        """Lets it leave in order."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()
