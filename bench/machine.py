"""The machine a figure was taken on, and what processes cost on it."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import psutil


async def describe(connection: asyncpg.Connection) -> Mapping[str, str]:
    """What a reader must know before comparing figures."""
    return {
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores for everything",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "postgres": f"{await connection.fetchval('show server_version')},"
        f" fsync {await connection.fetchval('show fsync')},"
        f" synchronous_commit {await connection.fetchval('show synchronous_commit')}",
        "load before": f"{os.getloadavg()[0]:.1f} processes",
    }


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process and of all its children, those that ended included."""
    own = process.cpu_times()
    total: float = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:  # ended just now: it is among the parent's children times
            continue
        total += times.user + times.system
    return total


def rss_mebibytes(process: psutil.Process) -> float:
    """Memory of one process, shared pages included."""
    resident: int = process.memory_info().rss
    return resident / 2**20


def pss_mebibytes(process: psutil.Process) -> float:
    """Memory of a process and its children; pages they share with others are counted by share."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            rollup = Path(f"/proc/{one.pid}/smaps_rollup").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):  # ended just now
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024
