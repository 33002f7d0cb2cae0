"""Attempts to sign in, in Redis for ten minutes. Each is taken out once, whatever becomes of it.

Without Redis nobody can sign in anew; who is signed in already doesn't notice.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from auth_svc.providers.client import Authorization
from mesh.redis import GuardedRedis

_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class Attempt:
    """One attempt. Has no `repr`, since it holds secrets.

    Attributes:
        provider: Whom with.
        authorization: What the provider was told.
        challenge: Hash of the client's own secret: only who began the attempt may complete it.
        user_id: Who began it; empty without a token.
    """

    provider: str
    authorization: Authorization
    challenge: str
    user_id: str


_decode = msgspec.json.Decoder(Attempt).decode
_encode = msgspec.json.Encoder().encode


def new_authorization(redirect_uri: str) -> Authorization:
    """An authorization that nobody can guess anything of."""
    state, nonce, verifier = (secrets.token_urlsafe(_BYTES) for _ in range(3))
    return Authorization(redirect_uri, state, nonce, verifier)


class AttemptStore:
    """The attempts under way.

    Args:
        redis: Redis.
        lifetime: How long an attempt waits.
    """

    def __init__(self, redis: GuardedRedis, lifetime: timedelta) -> None:
        self._redis = redis
        self.lifetime = lifetime

    async def put(self, attempt: Attempt) -> None:
        """Keeps an attempt.

        Raises:
            RedisError, OSError, TimeoutError: Redis is away.
        """
        seconds = int(self.lifetime.total_seconds())
        await self._redis.execute("SET", _key(attempt.authorization.state), _encode(attempt), "EX", seconds)

    async def take(self, state: str) -> Attempt | None:
        """The attempt of a state, which is gone by that; None if there is none.

        Raises:
            RedisError, OSError, TimeoutError: Redis is away.
        """
        value = await self._redis.execute("GETDEL", _key(state))
        try:
            return _decode(value) if value else None
        except msgspec.MsgspecError:  # another release's
            return None


def _key(state: str) -> str:
    # Whoever lists Redis' keys learns no state.
    return f"auth:attempt:{hashlib.sha256(state.encode()).hexdigest()}"
