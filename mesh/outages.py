"""Which exceptions mean that a store, the network or this machine is "down for the moment", and nobody's fault.

PostgreSQL's errors are judged by the class of their SQLSTATE and not by asyncpg's names for some of them: a disk that
is full, a primary that became a replica and an I/O error are reported in the same way as a shutdown.
"""

import asyncio
import errno
import re
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, TypeVar

import structlog

from mesh.errors import EcoError, Unavailable
from mesh.reasons import Reason

_log = structlog.get_logger("outages")

T = TypeVar("T")

_PAUSE_SECONDS = 0.5

# What the server says of itself and not of the statement: PostgreSQL's appendix A.
_CLASSES = frozenset(
    {
        "08",  # connection exception; PgBouncer's own errors, too
        "40",  # transaction rollback: a deadlock, a serialization failure
        "53",  # insufficient resources: disk full, out of memory, too many connections
        "55",  # object not in prerequisite state: a lock that isn't available
        "57",  # operator intervention: shutdown, crash, cancelled
        "58",  # system error: I/O, a file that is gone
        "XX",  # internal error: corrupted data, a quota that is used up
    }
)
_STATES = frozenset(
    {
        "25006",  # read-only transaction: a primary that was just made a replica
        "42501",  # insufficient privilege: the file system is read-only, or a grant was withdrawn; we ask for no more
    }
)
# Of these a statement with fewer rows may have better luck.
_CONFINED = frozenset({"40", "55", "XX"})
# The session ends with it, whatever the reason: a database that is down, a password that was just changed.
_OVER = frozenset({"FATAL", "PANIC"})
# asyncpg raises InterfaceError for a connection that is gone or in an unknown state, and for a wrong argument of ours.
_LOST_CONNECTION = re.compile("closed|closing|released|in progress|cancelling")
# OSErrors that have no class of their own. None: asyncio tried several addresses, and none could be reached.
_NETWORK = frozenset(
    {None, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN, errno.ENOTCONN, errno.EADDRNOTAVAIL}
)
_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})

_STORES = frozenset({"postgres", "redis", "s3", "store"})


def from_exception(error: BaseException) -> EcoError | None:
    """Unavailable with the store's name, or None when the exception is no outage."""
    peer = _peer(error)
    return Unavailable(Reason.UNAVAILABLE, peer=peer, retry_after=1.0) if peer else None


def is_confined(error: BaseException) -> bool:
    """Whether PostgreSQL refused one statement, wrote nothing of it, and may accept parts of it."""
    state = getattr(error, "sqlstate", None) or ""
    return state[:2] in _CONFINED and _severity(error) not in _OVER


def of_store(error: EcoError) -> bool:
    """Whether a service said that a store of ours was away: no fault of the request, and in time it will be back."""
    return (
        isinstance(error, Unavailable) and error.reason is Reason.UNAVAILABLE and error.metadata.get("peer") in _STORES
    )


async def until_available(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks a store until it answers.

    Raises:
        Exception: What is no outage.
    """
    while True:
        try:
            return await ask()
        except Exception as error:
            if from_exception(error) is None:
                raise
            _log.warning("store unavailable", error=repr(error))
        await asyncio.sleep(_PAUSE_SECONDS)


def _peer(error: BaseException) -> str | None:
    """What is down, if that is what the exception says."""
    # By name, since a service that uses no such store shouldn't load its client (20 MB) to tell what it can't raise.
    if (asyncpg := sys.modules.get("asyncpg")) and _is_postgres_outage(asyncpg, error):
        return "postgres"
    # Everybody can do without Redis, so whatever it refuses is as good as down; but for what redis-py refuses to send.
    if (redis := sys.modules.get("redis.exceptions")) and isinstance(error, redis.RedisError):
        return None if isinstance(error, redis.DataError) else "redis"
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror | ssl.SSLError):
        return "store"
    if isinstance(error, OSError) and error.errno in _NETWORK:
        return "store"
    return "host" if isinstance(error, OSError) and error.errno in _MACHINE else None


def _is_postgres_outage(asyncpg: ModuleType, error: BaseException) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state[:2] in _CLASSES or state in _STATES or _severity(error) in _OVER
    if isinstance(error, asyncpg.InterfaceError):
        return _LOST_CONNECTION.search(str(error)) is not None and not isinstance(error, ValueError)
    return isinstance(error, asyncpg.InternalClientError)  # a connection that broke in the middle of something


def _severity(error: Any) -> str:
    """ERROR: the statement has failed. FATAL: the session has. PANIC: all have."""
    return getattr(error, "severity_en", None) or getattr(error, "severity", None) or ""
