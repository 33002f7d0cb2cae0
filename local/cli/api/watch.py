"""Following a scan to its end over connections that may break."""

import time
from collections.abc import Callable, Iterator

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from local.errors import Disconnected

Events = Iterator[scan_service_pb2.WatchScanResponse]

_TRIES = 8
_PAUSE_SECONDS = 0.5

_Type = scan_service_pb2.WatchScanResponse.Type


def follow(connect: Callable[[int], Events], pause: Callable[[float], None] = time.sleep) -> Iterator[scan_pb2.Scan]:
    """Every state of a scan, the terminal one last.

    A watch that ends without a TERMINAL event was cut; it is opened again from the last version.

    Args:
        connect: Opens a watch that leaves out what is not newer than this version.
        pause: Waits that many seconds between two tries.

    Raises:
        Disconnected: Several watches in a row sent nothing.
        ApiError: The API refused the watch.
    """
    version, failures = 0, 0
    while failures < _TRIES:
        try:
            for event in connect(version):
                if event.HasField("scan"):
                    version, failures = event.scan.version, 0
                    yield event.scan
                if event.type == _Type.TYPE_TERMINAL:
                    return
        except Disconnected:
            if failures == _TRIES - 1:
                raise
        failures += 1
        pause(_PAUSE_SECONDS)
    raise Disconnected("the watch ended again and again before the scan did")
