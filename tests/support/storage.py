"""Object storage as tests reach it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Storage:
    """Where photos go."""

    endpoint: str
    bucket: str
    region: str
    access_key: str
    secret_key: str
    cdn_base_url: str
