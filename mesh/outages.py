"""Which exceptions of the stores' clients mean "down for the moment"."""

import socket

import asyncpg
import botocore.exceptions
import redis.exceptions

from mesh.errors import EcoError, Reason, Unavailable

_POSTGRES = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
)
_REDIS = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.BusyLoadingError)
_S3 = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)
_SERVER_ERROR = 500


def from_exception(error: BaseException) -> EcoError | None:
    """Unavailable with the store's name, or None when the exception is no outage."""
    # asyncpg's InterfaceError also covers a wrong argument of ours, which is a ValueError and no outage.
    if isinstance(error, _POSTGRES) and not isinstance(error, ValueError):
        return Unavailable(Reason.UNAVAILABLE, peer="postgres", retry_after=1.0)
    if isinstance(error, _REDIS):
        return Unavailable(Reason.UNAVAILABLE, peer="redis", retry_after=1.0)
    if isinstance(error, _S3) or _storage_failed(error):
        return Unavailable(Reason.UNAVAILABLE, peer="s3", retry_after=1.0)
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return Unavailable(Reason.UNAVAILABLE, peer="store", retry_after=1.0)
    return None


def _storage_failed(error: BaseException) -> bool:
    if not isinstance(error, botocore.exceptions.ClientError):
        return False
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= _SERVER_ERROR
