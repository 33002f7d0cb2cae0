"""Deals the plan's blows, and remembers when each began and was over."""

import asyncio
import errno
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis.asyncio as redis

from local.files import ENV_FILE, read_env
from tests.chaos.mesh import clock
from tests.chaos.mesh.clients.model import RUBBISH_FILE
from tests.chaos.mesh.plan import Blow, Kind, Plan

_BACK_SECONDS = 120.0
_BALLAST = "ballast"
_BALLAST_CHUNK = 1 << 20
_STOPS = {"postgres": signal.SIGINT}  # fast; SIGTERM would wait for the clients


@dataclass(frozen=True, slots=True)
class Hit:
    """A blow that was dealt.

    Attributes:
        kind: What was done.
        target: To which process.
        at: When, in seconds since the epoch.
        until: When it was over.
        step: By how many seconds the clock was wrong meanwhile.
    """

    kind: Kind
    target: str
    at: float
    until: float
    step: float = 0.0


class FaultInjector:
    """Whoever breaks things.

    Args:
        stack: The folder of the mesh.
        model: Tells the model's pid.
        disks: Whether PostgreSQL and SeaweedFS have disks that may be filled.
        say: Is told of each blow.

    Attributes:
        hits: What it has done.
        skipped: What it couldn't do here, and why.
    """

    def __init__(self, stack: Path, model: Callable[[], int], *, disks: bool, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._model = model
        self._disks = disks
        self._say = say
        self.hits: list[Hit] = []
        self.skipped: dict[str, str] = {}

    async def deal(self, plan: Plan) -> None:
        """Deals everything; a blow that lasts doesn't delay the next."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for blow in plan.blows:
                await asyncio.sleep(max(0.0, began + blow.at - time.monotonic()))
                self._say(str(blow))
                group.create_task(self._strike(blow))
            await asyncio.sleep(max(0.0, began + plan.seconds - time.monotonic()))

    async def _strike(self, blow: Blow) -> None:
        at = time.time()
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):  # it is down already
            match blow.kind:
                case Kind.KILL:
                    await self._end(blow, signal.SIGKILL)
                case Kind.RESTART:
                    await self._end(blow, _STOPS.get(blow.target, signal.SIGTERM))
                case Kind.FREEZE:
                    await self._hold(blow, _family(self._pid(blow.target)))
                case Kind.DISK_STALLED:
                    # The listener lives, whatever writes doesn't come back.
                    await self._hold(blow, _family(self._pid(blow.target))[1:])
                case Kind.DISK_FULL:
                    if not await self._fill(blow):
                        return
                case Kind.FLUSH | Kind.MEMORY_FULL:
                    await self._trouble_valkey(blow)
                case Kind.CLOCK:
                    if not await self._step_clock(blow):
                        return
                case Kind.RUBBISH:
                    await self._wish_rubbish(blow)
        self.hits.append(Hit(blow.kind, blow.target, at, time.time(), abs(blow.step)))

    async def _end(self, blow: Blow, signum: signal.Signals) -> None:
        """Ends a process; returns when its successor is ready, which its supervisor starts."""
        pid = self._pid(blow.target)
        os.kill(pid, signum)
        with suppress(TimeoutError):
            async with asyncio.timeout(_BACK_SECONDS):
                while True:
                    await asyncio.sleep(0.1)
                    if self._pid(blow.target) != pid:
                        return

    async def _hold(self, blow: Blow, processes: list[psutil.Process]) -> None:
        try:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            await asyncio.sleep(blow.seconds)
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    async def _fill(self, blow: Blow) -> bool:
        """Leaves no byte free on the disk of a store; False if it has no disk of its own."""
        if not self._disks:
            self.skipped[f"{blow.target} {blow.kind}"] = "no mount namespaces here"
            return False
        ballast = self._stack / blow.target / _BALLAST
        try:
            await asyncio.to_thread(_fill_up, ballast, blow.seconds)
        finally:
            ballast.unlink(missing_ok=True)
        if blow.target == "seaweedfs":  # it looks once a minute whether there is room again, but also when it starts
            os.kill(self._pid(blow.target), signal.SIGTERM)
        return True

    async def _trouble_valkey(self, blow: Blow) -> None:
        address = self._variables["ECO2_REDIS_URL"]
        async with redis.from_url(address, socket_timeout=2.0) as client:
            with suppress(redis.RedisError):  # it is down already
                if blow.kind is Kind.FLUSH:
                    await client.flushall()
                    return
                before = await client.config_get("maxmemory*")
                await client.config_set("maxmemory-policy", "noeviction")
                await client.config_set("maxmemory", 1)
                await asyncio.sleep(blow.seconds)
                for name in ("maxmemory", "maxmemory-policy"):
                    await client.config_set(name, before[name])

    async def _step_clock(self, blow: Blow) -> bool:
        """Makes a clock wrong; False if nothing here can."""
        if clock.library() is None:
            self.skipped[f"{blow.target} {blow.kind}"] = "libfaketime isn't installed"
            return False
        clock.step(self._stack, blow.target, blow.step)
        try:
            await asyncio.sleep(blow.seconds)
        finally:
            clock.step(self._stack, blow.target, 0.0)
        return True

    async def _wish_rubbish(self, blow: Blow) -> None:
        wish = self._stack / "journals" / RUBBISH_FILE
        wish.touch()
        try:
            await asyncio.sleep(blow.seconds)
        finally:
            wish.unlink()

    @property
    def _variables(self) -> Mapping[str, str]:
        return read_env(self._stack / ENV_FILE)

    def _pid(self, name: str) -> int:
        if name == "model":
            return self._model()
        pairs = dict(pair.split("=") for pair in self._variables["ECO2_PIDS"].split(","))
        return int(pairs[name])


def _family(pid: int) -> list[psutil.Process]:
    """A process and all below it, itself first: PostgreSQL's backends, Vision's decoders."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _fill_up(ballast: Path, seconds: float) -> None:
    """Takes whatever is free, again and again, since the victim may give something back."""
    ends = time.monotonic() + seconds
    with ballast.open("ab", buffering=0) as file:
        while time.monotonic() < ends:
            try:
                file.write(bytes(_BALLAST_CHUNK))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                time.sleep(0.1)
