"""Signing keys in PostgreSQL, where all replicas find the same ones.

Whoever looks whether keys are due does so alone, under a lock of the transaction, and by the database's clock. So two
replicas that start together make one key.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import asyncpg
from joserfc.jwk import ECKey

from auth_svc.keys.seal import Seal
from auth_svc.keys.signing_keys import PublicKey, RotationPolicy, SigningKey, generate
from mesh.postgres import Queries


class KeyStore:
    """The keys of all replicas.

    Args:
        pool: Connections to the database.
        seal: What private keys are sealed with.
        policy: When they come and go.
    """

    def __init__(self, pool: asyncpg.Pool, seal: Seal, policy: RotationPolicy) -> None:
        self._pool = pool
        self._sql = Queries("auth_svc.keys")
        self._seal = seal
        self._policy = policy

    async def load(self) -> tuple[list[SigningKey], datetime]:
        """All keys, and the database's time."""
        async with self._pool.acquire() as connection:
            return await self._read(connection)

    async def maintain(self) -> bool:
        """Makes the key that is due, and forgets those whose tokens have expired.

        Returns:
            Whether anything changed.
        """
        return await self._change(rotate=False)

    async def rotate(self) -> None:
        """Makes a key that signs once everybody has had the time to fetch it, whether or not one is due."""
        await self._change(rotate=True)

    async def _change(self, *, rotate: bool) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql["lock_keys"])
            keys, now = await self._read(connection)
            starts = self._policy.next_start(keys, now)
            if rotate and starts is None:
                starts = now + self._policy.lead
            if starts is not None:
                public, private = generate()
                sealed = self._seal.close(private)
                await connection.execute(self._sql["add_key"], public.kid, json.dumps(asdict(public)), sealed, starts)
            outlived = self._policy.outlived(keys, now)
            if outlived:
                await connection.execute(self._sql["remove_keys"], outlived)
            return starts is not None or bool(outlived)

    async def _read(self, connection: asyncpg.pool.PoolConnectionProxy) -> tuple[list[SigningKey], datetime]:
        rows = await connection.fetch(self._sql["list_keys"])
        now: datetime = await connection.fetchval("select clock_timestamp()")
        return self._opened(rows), now

    def _opened(self, rows: Sequence[asyncpg.Record]) -> list[SigningKey]:
        keys = []
        for row in rows:
            private = self._seal.open(row["sealed"])
            public = PublicKey(**json.loads(row["public_jwk"]))
            keys.append(SigningKey(public, ECKey.import_key(private) if private else None, row["signs_at"]))
        return keys
