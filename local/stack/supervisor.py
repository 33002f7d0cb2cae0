"""One supervised child: started, found ready, restarted when it dies, stopped."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from local.errors import NotStarted
from local.stack import child_exec

Say = Callable[[str], None]

_START_SECONDS = 60.0
_POLL_SECONDS = 0.05
_STEADY_SECONDS = 30.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_LOG_TAIL = 12


async def _nothing() -> None:
    """The default step of a program that needs none."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how to tell that it works.

    Attributes:
        name: Its name in messages.
        command: Absolute path and arguments.
        ready: Sends it a request; raises while it isn't ready.
        environment: Variables besides the supervisor's own.
        prepare: What must be in place before each start.
        drain: Asks it to finish its calls, before it is stopped.
        identity: Who it runs as; see `local.stack.child_exec`.
        stop_signal: Asks it to end.
        death_signal: What it gets when the supervisor is killed.
        grace: Seconds to end in, after which it is killed.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], Awaitable[object]]
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], Awaitable[None]] = _nothing
    drain: Callable[[], Awaitable[None]] = _nothing
    identity: str = "same"
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace: float = 5.0


class Child:
    """Keeps one program running.

    Args:
        program: What to run.
        log: Gets all it prints; emptied at `start`, appended to by restarts.
        say: Prints a line for the user.
        restarted: Called after every restart: the pid has changed.
    """

    def __init__(self, program: Program, log: Path, say: Say, restarted: Callable[[], None]) -> None:
        self.program = program
        self._log = log
        self._say = say
        self._restarted = restarted
        self._process: Process | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The process that runs now, or ran last."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Starts the program, returns when it is ready, and keeps it running from then on.

        Raises:
            NotStarted: It ended, or wasn't ready in time.
        """
        began = monotonic()
        self._log.unlink(missing_ok=True)
        await self._run()
        self._say(f"{self.program.name:<12} ready in {monotonic() - began:.1f} s, pid {self.pid}")
        self._watching = asyncio.create_task(self._keep_running(), name=f"watch {self.program.name}")

    async def stop(self) -> None:
        """Drains and ends the program; kills it when its grace is over. Safe at any moment of its life."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._process is None or self._process.returncode is not None:
            return
        await self.program.drain()
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.program.stop_signal)
        await self._end(self._process, self.program.grace)

    async def _run(self) -> None:
        await self.program.prepare()
        self._process = await _spawn(self.program, self._log)
        try:
            await self._until_ready(self._process)
        except NotStarted:
            await self._end(self._process, grace=0.0)
            raise

    async def _until_ready(self, process: Process) -> None:
        deadline = monotonic() + _START_SECONDS
        while process.returncode is None:
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + deadline - monotonic()):
                    await self.program.ready()
            except Exception as error:  # a probe fails in any way its client knows
                if monotonic() > deadline:
                    raise NotStarted(self._epitaph(f"isn't ready after {_START_SECONDS:.0f} s: {error!r}")) from error
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return
        raise NotStarted(self._epitaph(f"ended by itself: {_cause(process.returncode)}"))

    async def _keep_running(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            assert self._process is not None
            began = monotonic()
            status = await self._process.wait()
            if monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            self._say(f"{self.program.name} died ({_cause(status)}); starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                await self._run()
                self._say(f"{self.program.name} is back, pid {self.pid}")
                self._restarted()
            except NotStarted as error:
                self._say(str(error))
            except Exception as error:  # whatever error the preparation raises, the supervision goes on
                self._say(f"{self.program.name} couldn't be started: {error!r}")

    async def _end(self, process: Process, grace: float) -> None:
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def _epitaph(self, what: str) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL:]
        return "\n".join([f"{self.program.name} {what}. Last lines of {self._log}:", *(f"  {line}" for line in lines)])


async def _spawn(program: Program, log: Path) -> Process:
    """Must run in the main thread: the death signal is sent when the *thread* that spawned ends."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *launcher(program.death_signal, program.identity),
            *program.command,
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **program.environment},
            # A terminal's Ctrl-C goes to the supervisor alone, which stops its children in order.
            start_new_session=True,
        )


async def finish(
    command: Sequence[str], environment: Mapping[str, str], stdin: bytes = b"", identity: str = "same"
) -> str:
    """Runs a program to its end; it is killed if the caller is cancelled.

    Args:
        command: Absolute path and arguments.
        environment: Variables besides the supervisor's own.
        stdin: What it reads.
        identity: Who it runs as; see `local.stack.child_exec`.

    Returns:
        What it printed.

    Raises:
        NotStarted: It failed.
    """
    process = await asyncio.create_subprocess_exec(
        *launcher(signal.SIGKILL, identity),
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    printed = output.decode(errors="replace")
    if process.returncode:
        raise NotStarted(f"{Path(command[0]).name} failed ({_cause(process.returncode)}):\n{printed}")
    return printed


def launcher(death_signal: signal.Signals, identity: str) -> list[str]:
    """The prefix of a command that ends it with this process; see `local.stack.child_exec`."""
    return [sys.executable, "-I", "-S", child_exec.__file__, str(int(death_signal)), str(os.getpid()), identity]


def _cause(status: int) -> str:
    return f"exit status {status}" if status >= 0 else signal.Signals(-status).name
