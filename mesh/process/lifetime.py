"""The life of a process that serves: settings, event loop, signals."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import uvloop

from mesh.concurrency.tasks import kept_running
from mesh.process.garbage import GarbageCollection, spare_the_whole
from mesh.settings import Misconfigured, ServiceSettings, end_misused, load

S = TypeVar("S", bound=ServiceSettings)


def main(settings_type: type[S], application: Callable[[S], AbstractAsyncContextManager[object]]) -> None:
    """Runs a service until SIGTERM or SIGINT; what each `__main__.py` calls.

    Raises:
        SystemExit: With status 2 and a line on standard error, if its settings can't be used.
    """
    settings = load(settings_type)
    run(lambda: application(settings))


def run(application: Callable[[], AbstractAsyncContextManager[object]]) -> None:
    """Runs an application until SIGTERM or SIGINT.

    Raises:
        SystemExit: With status 2 and a line on standard error, if it can't start with its settings.
    """

    async def running() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stop.set)
        async with application():
            garbage = GarbageCollection()
            garbage.begin()
            async with kept_running(garbage.run):
                await stop.wait()

    # Of the Rust libraries for storage and models: a second thread would be woken only to find nothing to do.
    os.environ.setdefault("TOKIO_WORKER_THREADS", "1")
    spare_the_whole()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            uvloop.run(running())
    except Misconfigured as error:
        end_misused(str(error))
