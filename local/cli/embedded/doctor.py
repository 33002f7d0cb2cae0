"""`eco2 doctor`: what is missing or unreachable, and what to do about it."""

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import grpc

from local.cli.session import running_stack
from local.stack import envoy, services
from local.stack.ports import is_free
from local.stack.stores import postgres, seaweedfs, valkey
from mesh.settings import TlsFiles

_FREE_BYTES = 1 << 30
_SET_UP = "set the project up again: make setup"
_RESTART = "look into its log in the stack's log/ folder, then restart: eco2 up"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was checked.

    Attributes:
        name: What.
        trouble: What is wrong with it; empty if nothing.
        remedy: What to do about it.
        note: Information although nothing is wrong.
    """

    name: str
    trouble: str = ""
    remedy: str = ""
    note: str = ""

    def document(self) -> dict[str, str]:
        """As JSON's types; the remedy only where there is trouble."""
        return {
            "name": self.name,
            "trouble": self.trouble,
            "note": self.note,
            "remedy": self.remedy if self.trouble else "",
        }


async def examine(var: Path, port: int) -> list[Diagnosis]:
    """Checks the machine, the installation and, if one runs in `var`, the stack.

    Args:
        var: The stack's folder.
        port: Where the edge would listen.
    """
    findings = [*_machine(var), *_installation()]
    if not _nearest_existing(var).is_dir():
        return findings
    if variables := running_stack(var):
        return [*findings, *[finding async for finding in _stack(variables)]]
    taken = "" if is_free(port) else f"port {port} is taken by another program"
    findings.append(Diagnosis("REST port", taken, "choose another: PORT=… or --port", f"{port} is free"))
    return [*findings, Diagnosis("stack", note=f"no stack runs here ({var}); start one: eco2 up")]


def _machine(var: Path) -> Iterator[Diagnosis]:
    version = ".".join(map(str, sys.version_info[:3]))
    old = "" if sys.version_info >= (3, 11) else f"Python {version}"
    yield Diagnosis("Python", old, "install Python 3.11 or newer", version)
    system = f"{platform.system()} {platform.machine()}"
    other = "" if system == "Linux x86_64" else f"this is {system}"
    yield Diagnosis(
        "machine", other, "the embedded servers are built for Linux x86-64; point ECO2_* at your own", system
    )
    home = _nearest_existing(var)
    closed = "" if os.access(home, os.W_OK) else f"{home} can't be written to"
    closed = closed if home.is_dir() else f"{home} isn't a folder"
    yield Diagnosis("data folder", closed, "choose another: VAR=… or --var", str(var.resolve()))
    free = shutil.disk_usage(home).free
    scarce = "" if free > _FREE_BYTES else f"{free >> 20} MiB are free"
    yield Diagnosis("disk", scarce, "make room: a stack wants 1 GiB", f"{free >> 30} GiB are free")


def _nearest_existing(var: Path) -> Path:
    """The folder itself, or its nearest parent that exists."""
    return next(path for path in (var.resolve(), *var.resolve().parents) if path.exists())


def _installation() -> Iterator[Diagnosis]:
    wanted: Mapping[str, Callable[[], Path]] = {
        "PostgreSQL": lambda: postgres.binary("postgres"),
        "Valkey": valkey.binary,
        "SeaweedFS": seaweedfs.binary,
        "Envoy": envoy.binary,
        "edge configuration": lambda: _present(envoy.TEMPLATE),
        "descriptor set": lambda: _present(envoy.DESCRIPTORS),
        "classifier model": _model,
    }
    for name, find in wanted.items():
        try:
            yield Diagnosis(name, note=find().name)
        except (FileNotFoundError, ImportError) as missing:
            yield Diagnosis(name, f"missing: {missing}", _SET_UP)
    for name in (*(f"{service}_svc" for service in services.SERVICES), "eco2"):
        trouble = "" if find_spec(name) else "can't be imported"
        yield Diagnosis(f"package {name}", trouble, _SET_UP)


def _present(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(path)
    return path


def _model() -> Path:
    from vision_svc.model import MODEL  # here, so that a broken installation can still be examined

    return _present(Path(os.environ.get("ECO2_VISION_MODEL", MODEL)))


async def _stack(variables: Mapping[str, str]) -> AsyncIterator[Diagnosis]:
    for name, probe in _probes(variables).items():
        try:
            async with asyncio.timeout(5.0):
                await probe()
        except Exception as error:  # a probe fails in any way its client knows
            yield Diagnosis(f"running {name}", f"doesn't answer: {_cause(error)}", _RESTART)
        else:
            yield Diagnosis(f"running {name}", note="answers")


def _cause(error: Exception) -> str:
    """An error in one line; gRPC's own text fills a screen."""
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}, {error.details()}"
    return repr(error)


def _probes(variables: Mapping[str, str]) -> dict[str, Callable[[], Awaitable[object]]]:
    storage = seaweedfs.Storage(
        variables["ECO2_S3_ENDPOINT"], variables["ECO2_S3_ACCESS_KEY"], variables["ECO2_S3_SECRET_KEY"]
    )
    probes: dict[str, Callable[[], Awaitable[object]]] = {
        "postgres": partial(postgres.probe, variables["ECO2_DATABASE_URL"]),
        "valkey": partial(valkey.probe, variables["ECO2_REDIS_URL"]),
        "seaweedfs": storage.probe,
    }
    for name in services.SERVICES:
        if target := variables.get(f"ECO2_{name.upper()}_TARGET"):
            probes[name] = partial(services.probe, target, name, TlsFiles.given(variables))
    if rest := variables.get("ECO2_REST_URL"):
        probes["envoy"] = partial(envoy.probe, variables["ECO2_ENVOY_ADMIN"], rest, variables["ECO2_TOKEN"])
    return probes
