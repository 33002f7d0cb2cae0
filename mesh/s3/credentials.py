"""Keys to the bucket: given ones, for good or with a session's token; or those that boto's own chain finds.

The chain knows roles by web identity, and what containers and machines are lent; such keys are fetched again before
they expire.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from mesh.errors import Unavailable
from mesh.reasons import Reason
from mesh.s3.settings import StorageSettings

if TYPE_CHECKING:
    import botocore.credentials

_log = structlog.get_logger("s3")

# Fetched again when they are good for no longer than this; boto asks within its last quarter of an hour.
_AHEAD = timedelta(minutes=14)
# Then no more often than this, however many addresses are signed: whoever lends them may be away.
_PAUSE = timedelta(seconds=10)
_PAUSE_WITHOUT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What requests are signed with. Has no `repr`, since it would be written somewhere.

    Attributes:
        access_key: Which key.
        secret_key: The key.
        token: Of the session that they are good in; empty if they are good for ever.
        expires_at: When they stop; None: never, as far as is known.
    """

    access_key: str
    secret_key: str
    token: str = ""
    expires_at: datetime | None = None


class Credentials(Protocol):
    """Whoever has keys."""

    def now(self) -> Keys:
        """The keys to sign with now; nobody is asked for them, so no event loop waits.

        Raises:
            Unavailable: There are none. They are being fetched.
        """

    async def fresh(self) -> Keys:
        """The same, fetched first if there are none.

        Raises:
            Unavailable: Nobody lends any.
        """


class GivenKeys:
    """Keys that never change.

    Args:
        keys: Which.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def now(self) -> Keys:
        """These."""
        return self._keys

    async def fresh(self) -> Keys:
        """These."""
        return self._keys


class BotoKeys:
    """Keys that boto's chain finds, the last ones kept until they expire.

    Args:
        find: The chain; returns None if it finds nothing.
        clock: The time.
    """

    def __init__(self, find: "Callable[[], botocore.credentials.Credentials | None]", clock: Callable[[], datetime]):
        self._find = find
        self._clock = clock
        self._found: botocore.credentials.Credentials | None = None
        self._keys: Keys | None = None
        self._fetching = threading.Lock()
        self._again_at = datetime.min.replace(tzinfo=UTC)

    def now(self) -> Keys:
        """The last ones while they are good; those that are about to expire are fetched again beside that."""
        left = self._left() if self._keys else timedelta(0)
        pause = _PAUSE if left > timedelta(0) else _PAUSE_WITHOUT
        if left <= _AHEAD and self._clock() >= self._again_at and not self._fetching.locked():
            self._again_at = self._clock() + pause
            threading.Thread(target=self._fetch_quietly, name="credentials of storage", daemon=True).start()
        if self._keys is None or left <= timedelta(0):
            raise Unavailable(Reason.UNAVAILABLE, retry_after=1.0, peer="s3")
        return self._keys

    async def fresh(self) -> Keys:
        """The last ones while they are good for longer; else new ones, fetched in a thread."""
        if self._keys is None or self._left() <= timedelta(0):
            return await asyncio.to_thread(self._fetch)
        return self.now()

    def _left(self) -> timedelta:
        """For how long the last keys are good."""
        ends_at = self._keys.expires_at if self._keys else None
        return ends_at - self._clock() if ends_at else timedelta.max

    def _fetch(self) -> Keys:
        """Asks the chain, which asks whoever lends keys if its own are about to expire."""
        with self._fetching:
            try:
                self._found = self._found or self._find()
                frozen = self._found.get_frozen_credentials() if self._found else None
            except Exception as error:  # many kinds, and their texts quote addresses
                _log.error("no credentials of storage", error=type(error).__name__)
                raise Unavailable(Reason.UNAVAILABLE, retry_after=1.0, peer="s3") from error
            if frozen is None or not frozen.access_key or not frozen.secret_key:
                _log.error("no credentials of storage: ECO2_S3_ACCESS_KEY isn't set and boto's chain finds none")
                raise Unavailable(Reason.UNAVAILABLE, retry_after=1.0, peer="s3")
            ends_at = getattr(self._found, "_expiry_time", None)  # boto has no other word for it
            self._keys = Keys(frozen.access_key, frozen.secret_key, frozen.token or "", ends_at)
            return self._keys

    def _fetch_quietly(self) -> None:
        with contextlib.suppress(Unavailable):  # logged; the last ones are still good
            self._fetch()


def credentials_of(settings: StorageSettings) -> Credentials:
    """The keys of these settings; nobody is asked before they are needed."""
    access_key, secret_key = settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
    if access_key:
        return GivenKeys(Keys(access_key, secret_key, settings.s3_session_token.get_secret_value()))
    import botocore.session  # 20 MB, for whoever needs it alone

    return BotoKeys(lambda: botocore.session.get_session().get_credentials(), lambda: datetime.now(UTC))
