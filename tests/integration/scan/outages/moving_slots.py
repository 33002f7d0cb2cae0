"""Slots of a cluster that move from its first primary to its second, with all that lies in them."""

import asyncio
import itertools

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import MovedError

from local.stack.ports import HOST
from scan_svc.progress.keys import ScanKeys
from tests.support.redis_servers import PASSWORD, RedisServers
from tests.support.waiting import eventually

_BATCH = 100
_LAST = 5460  # of the first primary


async def move_at_once(servers: RedisServers) -> int:
    """As Valkey 9 does it: a range at a time, without redirections. Returns how many moved."""
    in_the_last = next(key for key in map(str, itertools.count()) if key_slot(key.encode()) == _LAST)
    async with servers.client(0) as source, servers.client(1) as target:
        where = "SLOTSRANGE", 0, _LAST, "NODE", await _id(target)
        await source.execute_command("CLUSTER MIGRATESLOTS", *where)  # type: ignore[no-untyped-call]

        async def moved() -> bool:
            try:
                await target.get(in_the_last)
            except MovedError:
                return False
            return True

        await eventually(moved)
    return _LAST + 1


async def move_one_by_one(servers: RedisServers) -> int:
    """As `valkey-cli --cluster reshard` does it: slot by slot, key by key. Returns how many moved.

    Those of scans alone: the others are empty here.
    """
    async with servers.client(0) as source, servers.client(1) as target, servers.client(2) as other:
        source_id, target_id = await _id(source), await _id(target)
        slots = [
            slot for slot in sorted({key_slot(name.encode()) for name in ScanKeys(True).channels}) if slot <= _LAST
        ]
        for slot in slots:
            await _set(target, slot, "IMPORTING", source_id)
            await _set(source, slot, "MIGRATING", target_id)
            while keys := await source.execute_command("CLUSTER", "GETKEYSINSLOT", slot, _BATCH):  # type: ignore[no-untyped-call]
                await source.execute_command(  # type: ignore[no-untyped-call]
                    "MIGRATE", HOST, servers.ports[1], "", 0, 5000, "AUTH", PASSWORD, "KEYS", *keys
                )
                await asyncio.sleep(0)
            for node in (target, source, other):
                await _set(node, slot, "NODE", target_id)
    return len(slots)


async def _set(node: Redis, slot: int, what: str, node_id: str) -> None:
    await node.execute_command("CLUSTER", "SETSLOT", slot, what, node_id)  # type: ignore[no-untyped-call]


async def _id(node: Redis) -> str:
    found: bytes = await node.execute_command("CLUSTER", "MYID")  # type: ignore[no-untyped-call]
    return found.decode()
