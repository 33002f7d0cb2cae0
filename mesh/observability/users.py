"""Users in logs and spans: by a pseudonym, the same for the same user, which leads back only with the key.

Who reads logs can follow one user through all services, and find a user's lines if they know the id and have the key.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache

_user: ContextVar[str] = ContextVar("user", default="")

_DIGITS = 16  # of 64 bits: two users in a billion share one


def work_for(user_id: str) -> None:
    """Says for whom this task works from now on; "" for nobody in particular."""
    _user.set(user_id)


class Pseudonyms:
    """What stands for users.

    Args:
        key: The same in all services; without one each process makes its own.
    """

    def __init__(self, key: str = "") -> None:
        self._key = key.encode() or _of_this_process()

    def of(self, user_id: str) -> str:
        """What stands for a user."""
        return "u-" + hmac.digest(self._key, user_id.encode("utf-8", "replace"), "sha256").hex()[:_DIGITS]

    def current(self) -> str:
        """What stands for the user whom this task works for; empty if for nobody in particular."""
        user_id = _user.get()
        return self.of(user_id) if user_id else ""

    def hiding(self) -> Callable[[str], str]:
        """Puts the pseudonym of the user whom this task works for wherever a text has their id."""
        user_id = _user.get()
        if not user_id:
            return str
        # As a word of its own: an id may be as short as "a".
        pattern = re.compile(rf"(?<![\w-]){re.escape(user_id)}(?![\w-])")
        pseudonym = self.of(user_id)
        return lambda text: pattern.sub(pseudonym, text)


@cache
def _of_this_process() -> bytes:
    return secrets.token_bytes(hashlib.sha256().digest_size)
