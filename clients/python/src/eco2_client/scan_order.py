"""What a scan is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eco2_client.photos import Photo


@dataclass(frozen=True, slots=True)
class ScanOrder:
    """What a scan is asked for.

    Attributes:
        photo: Where the photo is.
        max_side: Most pixels of its longer side; None to send it as it is.
        fields: Of CreateScan, but for `upload` and `image_url`.
    """

    photo: Photo
    max_side: int | None
    fields: Mapping[str, Any]
