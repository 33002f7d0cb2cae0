"""What the machine itself allows, measured in the same run: the promises' figures can't be better than these.

- a constant answered by bare grpc.aio, through an Envoy with the stack's own configuration;
- rows inserted and committed one by one into the stack's PostgreSQL, fsync on;
- a message published in the stack's Valkey until its subscriber has it.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from bench.mesh.echo import echo_edge
from bench.mesh.load import closed_loop, milliseconds
from bench.mesh.report import Figures
from bench.mesh.scale import Scale
from bench.mesh.stack import Stack
from bench.mesh.users import phones

_CONNECTIONS = 4  # as many as a service's pool has
_HOPS_A_SECOND = 200


async def echo(stack: Stack, scale: Scale, clients: int) -> Figures:
    """CreateScan answered by bare grpc.aio: what Envoy and gRPC cost before anything is done."""
    with tempfile.TemporaryDirectory(prefix="eco2-echo-") as folder:
        async with echo_edge(stack, Path(folder)) as rest, phones(stack, clients, rest) as users:
            sends = [user.announce for user in users]
            await closed_loop(sends, scale.warm_up)
            sample = await closed_loop(sends, scale.short)
    return sample.figures()


async def commits(stack: Stack, scale: Scale) -> Figures:
    """Rows inserted and committed one by one on as many connections as a service has."""
    database = stack.variables["ECO2_DATABASE_URL"]
    connections = [await asyncpg.connect(database) for _ in range(_CONNECTIONS)]
    try:
        await connections[0].execute("create table public.bare (id bigserial primary key, content text not null)")
        inserts = [lambda one=one: _insert(one) for one in connections]
        await closed_loop(inserts, scale.warm_up)
        sample = await closed_loop(inserts, scale.short)
        await connections[0].execute("drop table public.bare")
    finally:
        for connection in connections:
            await connection.close()
    return sample.figures()


async def _insert(connection: asyncpg.Connection) -> None:
    await connection.execute("insert into public.bare (content) values ($1)", "x" * 500)


async def hops(stack: Stack, scale: Scale) -> Figures:
    """A message from PUBLISH to its subscriber, on an idle server."""
    lags: list[float] = []
    async with Redis.from_url(stack.variables["ECO2_REDIS_URL"]) as client, client.pubsub() as channel:
        await channel.subscribe("bare")
        await channel.get_message(timeout=1)
        ends_at = time.perf_counter() + scale.short
        while (began := time.perf_counter()) < ends_at:
            await client.publish("bare", "x")
            await channel.get_message(ignore_subscribe_messages=True, timeout=1)
            lags.append(time.perf_counter() - began)
            await asyncio.sleep(1 / _HOPS_A_SECOND)
    return {"count": len(lags), **milliseconds(lags)}
