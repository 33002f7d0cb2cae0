"""Valkey as a cluster: three primaries, which share the slots, and a replica of each.

Each server starts with a file that names all six and who has which slots, as if they had met before. So nobody has to
introduce them, and they agree in less than a second.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from local.files import write_private
from local.stack.ports import HOST
from local.stack.stores import valkey
from local.stack.supervisor import Program

PRIMARIES = 3
SERVERS = 2 * PRIMARIES
# Where servers talk to each other is by default so far above where clients do.
BUS = 10_000
_SLOTS = 16_384
# Silence for so long makes the others vote for a replica.
_TIMEOUT_MILLISECONDS = 2000


def url(ports: Sequence[int], password: str) -> str:
    """The address services connect to: any of the servers knows the others."""
    return f"redis+cluster://:{password}@{','.join(f'{HOST}:{port}' for port in ports)}"


def programs(folder: Path, ports: Sequence[int], password: str) -> list[Program]:
    """The servers, the primaries first.

    Args:
        folder: Where a folder for each goes.
        ports: Where they listen: six.
        password: Of the default user of all.
    """
    return [_program(folder / f"valkey-{place + 1}", ports, place, password) for place in range(SERVERS)]


def _program(folder: Path, ports: Sequence[int], place: int, password: str) -> Program:
    file, port, met = folder / "valkey.conf", ports[place], False

    async def prepare() -> None:
        nonlocal met
        valkey.write(file, valkey.configuration(folder, port, password) + _configuration(password))
        if not met:  # from then on the server keeps the file itself
            write_private(folder / "nodes.conf", _nodes(ports, place))
            met = True

    async def ready() -> None:
        if "cluster_state:ok" not in await valkey.ask(port, password, "CLUSTER INFO"):
            raise ConnectionError("the servers haven't agreed yet")
        if place >= PRIMARIES and "master_link_status:down" in await valkey.ask(port, password, "INFO replication"):
            raise ConnectionError("the replica hasn't its primary's keys yet")

    command = [str(valkey.binary()), str(file)]
    return Program(name=f"valkey-{place + 1}", command=command, prepare=prepare, ready=ready)


def _configuration(password: str) -> str:
    return (
        f"cluster-enabled yes\ncluster-node-timeout {_TIMEOUT_MILLISECONDS}\nprimaryauth {password}\n"
        "repl-diskless-sync-delay 0\n"
    )


def _nodes(ports: Sequence[int], own: int) -> str:
    """What a server that has met the others remembers of them."""
    ids = [_identity(f"server {port}") for port in ports]
    lines = []
    for place, port in enumerate(ports):
        shard = place % PRIMARIES
        role, primary, slots = "master", "-", f" {_slots(shard)}"
        if place != shard:
            role, primary, slots = "slave", ids[shard], ""
        flags = f"myself,{role}" if place == own else role
        address = f"{HOST}:{port}@{port + BUS},,tls-port=0,shard-id={_identity(f'shard {ports[shard]}')}"
        lines.append(f"{ids[place]} {address} {flags} {primary} 0 0 {shard + 1} connected{slots}")
    return "\n".join((*lines, f"vars currentEpoch {PRIMARIES} lastVoteEpoch 0", ""))


def _identity(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _slots(shard: int) -> str:
    first, after = (_SLOTS * one // PRIMARIES for one in (shard, shard + 1))
    return f"{first}-{after - 1}"
