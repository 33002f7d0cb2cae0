"""How long the scenarios run: in full, or quickly while one develops."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Durations in seconds, and counts.

    Attributes:
        warm_up: Before anything is recorded.
        short: A measurement in a closed loop.
        long: A measurement whose 99th percentile needs more requests.
        crowd: How long 500 users go on scanning.
        scans: Whole scans, one after the other.
        phone_photos: Scans of photos of 12 megapixels.
    """

    warm_up: float
    short: float
    long: float
    crowd: float
    scans: int
    phone_photos: int


FULL = Scale(warm_up=3, short=8, long=20, crowd=180, scans=200, phone_photos=40)
QUICK = Scale(warm_up=1, short=3, long=5, crowd=30, scans=30, phone_photos=12)
