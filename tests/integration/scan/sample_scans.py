"""Scans as the store would read them."""

import uuid
from datetime import UTC, datetime
from typing import Any

from scan_svc.scans import Photo, Scan, State


def a_scan(version: int = 1, user: str = "user", **fields: Any) -> Scan:
    return Scan(
        scan_id=fields.pop("scan_id", str(uuid.uuid4())), user_id=user, state=fields.pop("state", State.RUNNING),
        version=version, photo=Photo("https://example.com/1.jpg"), created_at=datetime.now(UTC), **fields,
    )  # fmt: skip
