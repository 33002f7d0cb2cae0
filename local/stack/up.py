"""`eco2 up`: the stack in the foreground, until a signal ends it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from time import monotonic

from local.files import ENV_FILE
from local.stack.child_exec import die_with_parent
from local.stack.stack import StackPart, open_stack
from local.stack.supervisor import Say
from mesh.process import memory

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_foreground(
    var: Path,
    port: int,
    part: StackPart,
    say: Say,
    *,
    tied: bool,
    processes: int | None = 1,
    tls: bool = False,
    demo: bool = False,
    stores: Sequence[str] = (),
) -> None:
    """Keeps a stack up until Ctrl-C, SIGTERM or SIGHUP; then stops it in order.

    Args:
        var: Its folder.
        port: Where the edge listens; 0 for any free port.
        part: How much of it to run.
        say: Prints a line for the user.
        processes: How many processes serve the mesh, each all services; None: one for each service.
        tls: Whether services ask each caller for a certificate.
        demo: Whether one can sign in as the demo user.
        stores: In which shapes the stores run; see `local.stack.stores.shapes`.
        tied: Also stop when the process that started this one is gone, even by kill -9: `make`, or a test run.

    Raises:
        Misuse: There are no such stores.
        CannotStart: It can't start here.
        NotStarted: A part of it didn't get ready.
    """
    if tied:
        parent = os.getppid()
        die_with_parent(signal.SIGTERM)
        if os.getppid() != parent:
            return
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_run(say, var / ENV_FILE, open_stack(var, port, part, say, processes, tls, demo, stores)))


async def _run(say: Say, addresses: Path, stack: AbstractAsyncContextManager[Mapping[str, str]]) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for signum in _ENDING:
        loop.add_signal_handler(signum, _once(task, say))
    began = monotonic()
    async with stack as variables:
        where = variables.get("ECO2_REST_URL", "the stores alone")
        say(f"Everything is ready in {monotonic() - began:.1f} s: {where}")
        if "ECO2_OPERATORS_URL" in variables:
            say(f"Operators' page: {variables['ECO2_OPERATORS_URL']} (token: eco2 token --operator)")
        say(f"Addresses and a token are in {addresses}. Ctrl-C stops everything.")
        memory.give_back()
        await asyncio.Event().wait()


def _once(task: asyncio.Task[None], say: Say) -> Callable[[], None]:
    """Cancels at the first signal only: a second one must not interrupt the ordered stop."""

    def end() -> None:
        if not task.cancelling():
            say("Stopping …")
            task.cancel()

    return end
