"""Valkey with a replica, and three Sentinels, which make the replica the primary when that is gone."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from local.stack.ports import HOST
from local.stack.stores import valkey
from local.stack.supervisor import Program

PRIMARY = "eco2"
SERVERS = 2
SENTINELS = 3
_QUORUM = 2
# Silence for so long makes a Sentinel take the primary for gone.
_DOWN_MILLISECONDS = 1500
_FAILOVER_MILLISECONDS = 5000
_TRIES, _PAUSE_SECONDS = 200, 0.05


def url(sentinel_ports: Sequence[int], password: str) -> str:
    """The address services connect to: the Sentinels', and what they call the primary."""
    return f"redis+sentinel://:{password}@{','.join(f'{HOST}:{port}' for port in sentinel_ports)}/{PRIMARY}"


def programs(folder: Path, ports: Sequence[int], sentinel_ports: Sequence[int], password: str) -> list[Program]:
    """The primary, its replica, and the Sentinels.

    Args:
        folder: Where a folder for each goes.
        ports: Where the servers listen: two.
        sentinel_ports: Where the Sentinels do: three.
        password: Of the default user of all.
    """
    return [
        *(_server(folder / f"valkey-{place + 1}", ports, place, password) for place in range(SERVERS)),
        *(
            _sentinel(folder / f"sentinel-{number}", port, ports[0], password)
            for number, port in enumerate(sentinel_ports, 1)
        ),
    ]


def _server(folder: Path, ports: Sequence[int], place: int, password: str) -> Program:
    file, port = folder / "valkey.conf", ports[place]
    extra = f"primaryauth {password}\nrepl-diskless-sync-delay 0\n"
    if place:
        extra += f"replicaof {HOST} {ports[0]}\n"

    async def prepare() -> None:
        # The Sentinels change the file, and tell a server that comes back what it is by now.
        valkey.write(file, valkey.configuration(folder, port, password) + extra)

    async def ready() -> None:
        if "master_link_status:down" in await valkey.ask(port, password, "INFO replication"):
            raise ConnectionError("the replica hasn't its primary's keys yet")

    return Program(name=folder.name, command=[str(valkey.binary()), str(file)], prepare=prepare, ready=ready)


def _sentinel(folder: Path, port: int, primary_port: int, password: str) -> Program:
    file = folder / "sentinel.conf"

    async def prepare() -> None:
        valkey.write(file, _configuration(folder, port, primary_port, password))
        await _replicated(primary_port, password)

    async def ready() -> None:
        await valkey.ask(port, password, f"SENTINEL CKQUORUM {PRIMARY}")
        if ",slaves=0," in await valkey.ask(port, password, "INFO sentinel"):
            raise ConnectionError("the Sentinel hasn't found the replica yet")

    command = [str(valkey.binary()), str(file), "--sentinel"]
    return Program(name=folder.name, command=command, prepare=prepare, ready=ready)


async def _replicated(port: int, password: str) -> None:
    """Waits, for a while, until the primary has its replica: a Sentinel asks for replicas every ten seconds only."""
    for _ in range(_TRIES):
        with suppress(OSError):
            if "connected_slaves:0" not in await valkey.ask(port, password, "INFO replication"):
                return
        await asyncio.sleep(_PAUSE_SECONDS)


def _configuration(folder: Path, port: int, primary_port: int, password: str) -> str:
    return f"""bind {HOST}
port {port}
dir {folder}
requirepass {password}
sentinel monitor {PRIMARY} {HOST} {primary_port} {_QUORUM}
sentinel auth-pass {PRIMARY} {password}
sentinel down-after-milliseconds {PRIMARY} {_DOWN_MILLISECONDS}
sentinel failover-timeout {PRIMARY} {_FAILOVER_MILLISECONDS}
"""
