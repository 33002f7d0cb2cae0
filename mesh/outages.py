"""Which exceptions of the stores' clients mean "down for the moment"."""

import socket
import sys

from mesh.errors import EcoError, Reason, Unavailable

# By name, since a service that uses no such store shouldn't load its client (20 MB) to tell what it can't raise.
_POSTGRES = (
    "PostgresConnectionError",
    "CannotConnectNowError",
    "AdminShutdownError",
    "CrashShutdownError",
    "TooManyConnectionsError",
    "DeadlockDetectedError",
    "SerializationError",
    "QueryCanceledError",
    "ReadOnlySQLTransactionError",
    "InterfaceError",
    "InternalClientError",  # a connection that broke in the middle of something
)
_REDIS = ("ConnectionError", "TimeoutError", "BusyLoadingError")


def from_exception(error: BaseException) -> EcoError | None:
    """Unavailable with the store's name, or None when the exception is no outage."""
    # asyncpg's InterfaceError also covers a wrong argument of ours, which is a ValueError and no outage.
    if _is_one(error, "asyncpg", _POSTGRES) and not isinstance(error, ValueError):
        return Unavailable(Reason.UNAVAILABLE, peer="postgres", retry_after=1.0)
    if _is_one(error, "redis.exceptions", _REDIS):
        return Unavailable(Reason.UNAVAILABLE, peer="redis", retry_after=1.0)
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return Unavailable(Reason.UNAVAILABLE, peer="store", retry_after=1.0)
    return None


def _is_one(error: BaseException, module: str, names: tuple[str, ...]) -> bool:
    """Whether the error is of one of a module's classes."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(error, tuple(getattr(loaded, name) for name in names))
