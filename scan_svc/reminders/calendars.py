"""Calendars that users' apps subscribe to, under an address that is the secret."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

from mesh.locale import Locale

KEY_BYTES = 32
_PATH = "/v1/me/calendar.ics?key="


@dataclass(frozen=True, slots=True)
class Calendar:
    """One user's calendar.

    Attributes:
        calendar_id: Tells its events from those of others; another one with each new address.
        user_id: Whose it is.
        region: Whose collection days it tells; empty for none but those of scans.
        building: The code of the building that comes before `region`; empty for none.
        locale: Its language.
        created_at: When its address was made.
    """

    calendar_id: str
    user_id: str
    region: str
    building: str
    locale: Locale
    created_at: datetime


def new_key(entropy: bytes) -> str:
    """A key as an address has it, of 43 characters for 32 bytes."""
    return base64.urlsafe_b64encode(entropy).rstrip(b"=").decode("ascii")


def digest(key: str) -> bytes:
    """What is kept of a key. It is as random as the digest is long, so a plain one can't be reversed."""
    return hashlib.sha256(key.encode("ascii")).digest()


def path(key: str) -> str:
    """The path and query at which the calendar is read."""
    return _PATH + key
