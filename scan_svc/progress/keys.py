"""What things of scans are called in Redis."""

# A message names the scans that changed, separated by blanks; those that have ended with this change carry the mark.
CHANNEL = "scan:changed"
ENDED_MARK = "!"

_TAG_DIGITS = 2


class ScanKeys:
    """Names of keys and channels.

    On a cluster, where a script touches one slot, the last two digits of a scan's id are the hash tag of its keys and
    of the channel that its changes are announced on: `job:0197…3{7f}:progress`, `scan:changed:{7f}`. So a process
    listens to 256 channels, each at the server that has the scans. Elsewhere names have no tag, and there is one
    channel: releases before tags read the same names during an upgrade.

    Args:
        sharded: Whether it is a cluster.
    """

    def __init__(self, sharded: bool) -> None:
        self._sharded = sharded
        self.channels = (
            [f"{CHANNEL}:{{{tag:0{_TAG_DIGITS}x}}}" for tag in range(16**_TAG_DIGITS)] if sharded else [CHANNEL]
        )

    @property
    def publish(self) -> str:
        """The command that publishes on a channel; on a cluster to who listens at its own server."""
        return "SPUBLISH" if self._sharded else "PUBLISH"

    def tag(self, scan_id: str) -> str:
        """Scans of the same tag can be touched together."""
        return scan_id[-_TAG_DIGITS:] if self._sharded else ""

    def channel(self, tag: str) -> str:
        """Where changes of a tag's scans are announced."""
        return f"{CHANNEL}:{{{tag}}}" if self._sharded else CHANNEL

    def progress(self, scan_id: str) -> str:
        """The key of a scan's snapshot."""
        return f"job:{self._tagged(scan_id)}:progress"

    def result(self, scan_id: str) -> str:
        """The key of what is kept of a scan that has ended."""
        return f"job:{self._tagged(scan_id)}:result"

    def _tagged(self, scan_id: str) -> str:
        return f"{scan_id[:-_TAG_DIGITS]}{{{scan_id[-_TAG_DIGITS:]}}}" if self._sharded else scan_id
