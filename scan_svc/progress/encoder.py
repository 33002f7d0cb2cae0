"""Bodies of snapshots: scans as bytes, without what depends on the reader.

A scan is shown a dozen times while it is worked on, and most of it stays the same. Protobuf merges messages whose bytes
stand one after the other, so each part is made into bytes once, and a version's body is put together from them.
"""

from collections import OrderedDict

from scan_svc import scan_proto
from scan_svc.scans import Scan

_MOST = 4_000  # parts, of some hundred bytes each: what about a thousand scans at work have


class SnapshotEncoder:
    """Makes bodies, and keeps the parts it has made."""

    def __init__(self) -> None:
        # By identity, which is quick: versions of a scan share their parts. The part is kept too, or another might
        # come to stand at its address.
        self._made: OrderedDict[int, tuple[scan_proto.Part, bytes]] = OrderedDict()

    def __call__(self, scan: Scan) -> bytes:
        """What a snapshot keeps of a scan."""
        return b"".join((scan_proto.head(scan).SerializeToString(), *map(self._part, scan_proto.parts(scan))))

    def _part(self, part: scan_proto.Part) -> bytes:
        made = self._made.get(id(part))
        if made is None:
            made = self._made[id(part)] = part, scan_proto.part_of_scan(part).SerializeToString()
            if len(self._made) > _MOST:
                self._made.popitem(last=False)
        return made[1]
