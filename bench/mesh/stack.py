"""The stack under measure: as `eco2 up` starts it, with what its processes cost."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.machine import cpu_seconds, pss_mebibytes
from bench.mesh.model import Model, started
from local.files import ENV_FILE, read_env
from local.stack.background import running
from local.stack.secrets import Secrets
from local.stack.tokens import Tokens
from ratelimit_svc.limits import load_limits

Cpu = Mapping[str, float]

# A few clients stand for many users: calls are counted as always, but no limit is reached.
_LIMITS = {name: {"user": 1_000_000} for name, limit in load_limits().items() if limit.user is not None}

STORES = ("postgres", "valkey", "seaweedfs", "rabbitmq", "epmd")  # the latter two are the peer's, see bench.peer


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack.

    Attributes:
        folder: Where it lives.
        variables: Its addresses.
        processes: The first process of each program, by the program's name.
        tokens: Signs users in.
        model: The stand-in for the hosted model; None where Vision classifies offline.
    """

    folder: Path
    variables: Mapping[str, str]
    processes: Mapping[str, psutil.Process]
    tokens: Tokens
    model: Model | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """The processes that serve the mesh; the supervisor that starts them is the developer's."""
        return tuple(name for name in self.processes if name not in (*STORES, "envoy"))

    @property
    def rest(self) -> str:
        """Base address of the edge."""
        return self.variables["ECO2_REST_URL"]

    def cpu(self) -> Cpu:
        """CPU seconds that each program has used so far, children and their ended children included."""
        return {name: cpu_seconds(process) for name, process in self.processes.items()}

    def memory(self) -> Mapping[str, float]:
        """PSS of each program in MiB: pages that several processes share are counted once in all."""
        return {name: pss_mebibytes(process) for name, process in self.processes.items()}


class CpuMeter:
    """CPU between two moments, of the stack and of the generator.

    Args:
        stack: What is measured.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        # What takes part without being ours.
        self._beside = {"generator": psutil.Process()}
        if stack.model:
            self._beside["model"] = stack.model.process
        self._began = self._now()

    def stop(self) -> tuple[Cpu, Cpu]:
        """CPU seconds since it was made: of each program of ours, and of what stands beside."""
        ended = self._now()
        used = {name: ended[name] - self._began[name] for name in ended}
        return {name: used[name] for name in self._stack.processes}, {name: used[name] for name in self._beside}

    def _now(self) -> dict[str, float]:
        own = {name: sum(process.cpu_times()[:2]) for name, process in self._beside.items()}
        return {**self._stack.cpu(), **own}


@contextmanager
def standing(environment: Mapping[str, str], *, hosted: bool, processes: int | None) -> Iterator[Stack]:
    """A fresh stack in a folder of its own, fsync on, with the defaults of `eco2 up`.

    Args:
        environment: Settings that differ from the defaults; a row of the report that needs any says so.
        processes: How many processes serve the mesh, each all services; None: one for each service.
        hosted: Whether it calls a hosted model: a stand-in for it is started, too.
    """
    with (
        tempfile.TemporaryDirectory(prefix="eco2-bench-", ignore_cleanup_errors=True) as folder,
        started() if hosted else nullcontext() as model,
        inherited({"ECO2_LIMITS": json.dumps(_LIMITS), **environment, **(model.environment if model else {})}),
        running(Path(folder), processes=processes) as variables,
    ):
        tokens = Tokens(Secrets.load(Path(folder) / "secrets").signing_key)
        yield Stack(Path(folder), variables, programs(Path(folder)), tokens, model)


def programs(folder: Path) -> Mapping[str, psutil.Process]:
    """The processes that the stack in a folder says it runs."""
    pairs = read_env(folder / ENV_FILE)["ECO2_PIDS"].split(",")
    return {name: psutil.Process(int(pid)) for name, pid in (pair.split("=") for pair in pairs)}


@contextmanager
def inherited(changes: Mapping[str, str]) -> Iterator[None]:
    """What children inherit while the block runs."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
