"""A stack that is scraped, with rules of which an hour is a minute; and what can be broken of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import psutil

from local.files import ENV_FILE, read_env
from local.stack.monitoring import CONFIGURATION
from monitoring import rules
from monitoring.durations import TimeScale
from tests.support import prometheus
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus
from tests.support.waiting import eventually

# 5 minutes are 5 seconds: five scrapes, as few as a rate is still one.
SCALE = TimeScale(60)


class Watched:
    """A Prometheus that scrapes a stack, and its alerts.

    Args:
        server: The Prometheus.
        variables: The stack's.
    """

    def __init__(self, server: Prometheus, variables: Mapping[str, str]) -> None:
        self.server = server
        self.variables = variables

    async def fires(self, *alerts: str, meanwhile: Callable[[], Awaitable[object]] | None = None) -> None:
        """Waits until all of them fire, doing something again and again meanwhile."""

        async def firing() -> bool:
            if meanwhile:
                await meanwhile()
            return {*alerts} <= set(await self.server.firing())

        await eventually(firing, 100.0)

    async def clears(self, *alerts: str, severity: str = "") -> None:
        """Waits until none of them fires; of one severity alone, if it is given."""

        async def quiet() -> bool:
            firing = await self.server.firing()
            return not [
                each for name in alerts for each in firing.get(name, ()) if not severity or each["severity"] == severity
            ]

        await eventually(quiet, 100.0)

    async def names(self) -> set[str]:
        """All alerts there are."""
        return {rule["name"] for rule in await self.server.rules() if rule["type"] == "alerting"}

    async def evaluated(self, times: int) -> None:
        """Waits until the rules have been evaluated so often, from now on."""

        async def count() -> float:
            samples = await self.server.query('count_over_time(eco2:slo_objective:ratio{slo="scan-success"}[1h])')
            return sum(sample.value for sample in samples)

        before = await count()

        async def done() -> bool:
            return await count() >= before + times

        await eventually(done)

    async def tells(self, series: str) -> None:
        """Waits until there is a series."""

        async def told() -> bool:
            return bool(await self.server.query(series))

        await eventually(told)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Children of the stack, with children of their own, that get no CPU until the block is left."""
        with ExitStack() as thawing:
            for process in self._family(names):
                process.suspend()
                thawing.callback(process.resume)
            yield

    def _family(self, names: tuple[str, ...]) -> list[psutil.Process]:
        pids = dict(
            pair.split("=") for pair in read_env(Path(self.variables["VAR"]) / ENV_FILE)["ECO2_PIDS"].split(",")
        )
        roots = [psutil.Process(int(pids[name])) for name in names]
        return [process for root in roots for process in (root, *root.children(recursive=True))]


class Workers:
    """Two workers beside a stack whose own processes serve only.

    Args:
        variables: The stack's.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.targets = {name: f"127.0.0.1:{free_port()}" for name in ("worker-1", "worker-2")}

    def start(self) -> None:
        """Starts those that don't run."""
        for name, target in self.targets.items():
            if name not in self._running:
                environment = {
                    **os.environ,
                    **self._variables,
                    "ECO2_SCAN_ROLE": "worker",
                    "ECO2_LISTEN": "127.0.0.1:0",
                    "ECO2_METRICS_ADDRESS": target,
                }
                with (Path(self._variables["VAR"]) / "log" / f"{name}.log").open("ab") as log:
                    command = [sys.executable, "-m", "scan_svc"]
                    self._running[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """As the kernel does when there is no memory left."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """None of them gets any CPU until the block is left."""
        with ExitStack() as thawing:
            for process in self._running.values():
                process.send_signal(signal.SIGSTOP)
                thawing.callback(process.send_signal, signal.SIGCONT)
            yield

    def close(self) -> None:
        """Ends them."""
        for name in [*self._running]:
            self.kill(name)


@asynccontextmanager
async def watched(folder: Path, variables: Mapping[str, str], workers: Workers) -> AsyncIterator[Watched]:
    """A Prometheus with the shortened rules, for a stack and its workers."""
    configuration = json.loads((Path(variables["VAR"]) / CONFIGURATION).read_text("utf-8"))
    targets = [{"targets": [target], "labels": {"pod": name}} for name, target in workers.targets.items()]
    configuration["scrape_configs"].append({"job_name": "eco2-worker", "static_configs": targets})
    (folder / "scrape.json").write_text(json.dumps(configuration), "utf-8")
    (folder / "rules.yaml").write_text(rules.text(SCALE), "utf-8")
    async with prometheus.running(folder, folder / "scrape.json", [folder / "rules.yaml"]) as server:
        yield Watched(server, variables)
