"""Clients for what a test itself serves."""

from typing import Any

import httpx2


def http_client(**options: Any) -> httpx2.AsyncClient:
    """A client for plain http: nothing is encrypted, so the machine's certificates, 45 ms of CPU, stay unread."""
    return httpx2.AsyncClient(verify=False, **options)
