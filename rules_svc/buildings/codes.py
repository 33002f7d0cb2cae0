"""The codes by which people join a building: short, speakable, and too many to guess.

Eight of Crockford's base-32 digits without the vowels, so that no code is a word: 30^8, or 656 thousand million.
"""

import re
import secrets

ALPHABET = "0123456789BCDFGHJKMNPQRSTVWXYZ"
LENGTH = 8

_SEPARATORS = re.compile(r"[ -]")
_MISREAD = str.maketrans("OIL", "011")


def new_code() -> str:
    """A code at random."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def canonical(said: str) -> str:
    """A code as it is stored, of how people write it: in small letters, in halves, with O for 0 and I or L for 1."""
    return _SEPARATORS.sub("", said).upper().translate(_MISREAD)
