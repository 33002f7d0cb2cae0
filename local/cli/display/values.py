"""Times and sizes as people read them."""

from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

_UNITS = ("bytes", "kB", "MB", "GB")


def local_time(time: Timestamp) -> str:
    """Day and minute on this machine's clock, such as 2026-11-29 21:05."""
    return time.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def filesize(count: int) -> str:
    """A number of bytes, such as 2.4 MB."""
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{count} {_UNITS[0]}"
