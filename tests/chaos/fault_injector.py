"""Whoever breaks things, and remembers when."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import asyncpg
import redis.asyncio as redis

from local.files import ENV_FILE, read_env
from tests.chaos.observations import Blow, Hit
from tests.chaos.worker_pool import WorkerPool

_ANSWERS_WITHIN = 30.0


class FaultInjector:
    """Blows, one after the other, of every kind equally often.

    Args:
        workers: The workers.
        stack: The folder of the stores.
        lease_seconds: The workers' lease.
        seed: Decides order and victims.

    Attributes:
        hits: What it has done.
    """

    def __init__(self, workers: WorkerPool, stack: Path, lease_seconds: float, seed: int) -> None:
        self._workers = workers
        self._stack = stack
        self._lease_seconds = lease_seconds
        self._random = random.Random(seed)
        self._blows: Mapping[Blow, Callable[[], Awaitable[None]]] = {
            Blow.KILL: lambda: self._strike(Blow.KILL, signal.SIGKILL),
            Blow.TERMINATE: lambda: self._strike(Blow.TERMINATE, signal.SIGTERM),
            Blow.FREEZE: self._freeze,
            Blow.POSTGRES: self._restart_postgres,
            Blow.CRASH: self._crash_postgres,
            Blow.VALKEY: self._kill_valkey,
            Blow.FLUSH: self._empty_valkey,
        }
        self.hits: list[Hit] = []

    async def rage(self, seconds: float, pause: float) -> None:
        """Deals blows for so long; the last may still hurt a moment longer."""
        ends = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            deck: list[Blow] = []
            while time.monotonic() < ends:
                if not deck:
                    deck = self._random.sample(list(self._blows), k=len(self._blows))
                group.create_task(self._deal(deck.pop()))  # a long blow doesn't delay the next
                await asyncio.sleep(pause * self._random.uniform(0.5, 1.5))

    async def _deal(self, blow: Blow) -> None:
        await self._blows[blow]()

    async def _strike(self, blow: Blow, signum: signal.Signals) -> None:
        if victim := self._victim():
            self._workers.strike(victim, signum)
            self._hit(blow, time.time(), victim)

    async def _freeze(self) -> None:
        if victim := self._victim():
            self._workers.strike(victim, signal.SIGSTOP)
            began = time.time()
            await asyncio.sleep(self._lease_seconds * self._random.uniform(1.3, 2.0))
            self._hit(Blow.FREEZE, began, victim)
            self._workers.strike(victim, signal.SIGCONT)

    async def _restart_postgres(self) -> None:
        """Immediate shutdown; the supervisor starts it again."""
        began = time.time()
        if self._kill("postgres", signal.SIGQUIT):
            await self._until_postgres_answers()
            self._hit(Blow.POSTGRES, began)

    async def _crash_postgres(self) -> None:
        """A backend that dies badly takes all others with it: shared memory may be damaged."""
        try:
            connection = await self._connect()
            victim = await connection.fetchval("select pg_backend_pid()")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # down already
            return
        began = time.time()
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        connection.terminate()
        await self._until_postgres_answers()
        self._hit(Blow.CRASH, began)

    async def _kill_valkey(self) -> None:
        began = time.time()
        if self._kill("valkey", signal.SIGKILL):
            self._hit(Blow.VALKEY, began)

    async def _empty_valkey(self) -> None:
        began = time.time()
        async with redis.from_url(self._variables["ECO2_REDIS_URL"], socket_timeout=1.0) as client:
            try:
                await client.flushall()
            except redis.RedisError:  # down already
                return
        self._hit(Blow.FLUSH, began)

    async def _until_postgres_answers(self) -> None:
        async with asyncio.timeout(_ANSWERS_WITHIN):
            while True:
                try:
                    connection = await self._connect()
                    await connection.execute("select 1")
                    await connection.close()
                    return
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await asyncio.sleep(0.05)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self._variables["ECO2_DATABASE_URL"], timeout=2.0)

    def _victim(self) -> int | None:
        """A worker that isn't frozen, if another one is left to take its scans over."""
        awake = self._workers.awake
        return self._random.choice(awake) if len(awake) > 1 else None

    def _hit(self, blow: Blow, began: float, pid: int = 0) -> None:
        self.hits.append(Hit(blow, began, time.time(), pid))

    def _kill(self, name: str, signum: signal.Signals) -> bool:
        """Ends a store; False if it is down already."""
        pids = dict(pair.split("=") for pair in self._variables["ECO2_PIDS"].split(","))
        try:
            os.kill(int(pids[name]), signum)
        except ProcessLookupError:
            return False
        return True

    @property
    def _variables(self) -> dict[str, str]:
        return read_env(self._stack / ENV_FILE)
