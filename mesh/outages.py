"""Which exceptions of the stores' clients mean "down for the moment"."""

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
    asyncpg.InterfaceError,
)
_REDIS = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.BusyLoadingError)
_S3 = (botocore.exceptions.HTTPClientError,)


def from_exception(error: BaseException) -> EcoError | None:
    """Unavailable with the store's name, or None when the exception is no outage."""
    # asyncpg's InterfaceError also covers a wrong argument of ours, which is a ValueError and no outage.
    if isinstance(error, _POSTGRES) and not isinstance(error, ValueError):
        return Unavailable(Reason.UNAVAILABLE, peer="postgres", retry_after=1.0)
    if isinstance(error, _REDIS):
        return Unavailable(Reason.UNAVAILABLE, peer="redis", retry_after=1.0)
    if isinstance(error, _S3):
        return Unavailable(Reason.UNAVAILABLE, peer="s3", retry_after=1.0)
    if isinstance(error, OSError | TimeoutError):
        return Unavailable(Reason.UNAVAILABLE, peer="store", retry_after=1.0)
    return None
