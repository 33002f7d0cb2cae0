"""Which port each server listens on: free ones, and the same ones again after a restart.

Two stacks that start at once mustn't choose the same one. Seconds pass between choosing a port and listening on it, so
who has chosen one holds an abstract Unix socket of its number, which the kernel gives back when the process ends.
"""

import atexit
import json
import random
import socket
from pathlib import Path

from local.files import read_json, write_private

HOST = "127.0.0.1"

# Below Linux' ephemeral range, so that no outgoing connection takes one between choosing and listening; low enough
# that a twin 10,000 above stays below it too.
_RANGE = range(10_240, 22_700)
_TRIES = 200

# What this process has chosen, for as long as it lives. A port may be chosen here again: its server has ended by then.
_chosen: dict[int, socket.socket] = {}


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        # As servers do: only another listener counts, not connections in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _choose(port: int) -> bool:
    """Whether no other process has chosen this port; from then on it is this one's."""
    if port in _chosen:
        return True
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0eco2-port-{port}")
    except OSError:
        mark.close()
        return False
    atexit.register(mark.close)  # or Python complains of each when it ends
    _chosen[port] = mark
    return True


class Ports:
    """The ports of one stack, remembered in a file so that its addresses survive a restart.

    Args:
        file: Where they are remembered; created at the first `save`.

    Raises:
        Misuse: The file's content is something else.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._remembered: dict[str, int] = read_json(file, dict[str, int]) if file.exists() else {}
        self._taken: dict[str, int] = {}

    def take(self, name: str, *, twin: int = 0) -> int:
        """The port for `name`: last time's if it is still free, else any free one.

        Args:
            name: Whose port.
            twin: A second port this far above must be free too.

        Raises:
            OSError: No port is free.
        """
        candidates = random.sample(_RANGE, _TRIES)
        if name in self._remembered:
            candidates.insert(0, self._remembered[name])
        for port in candidates:
            both = {port, port + twin}
            if port not in self._taken.values() and all(map(is_free, both)) and all(map(_choose, both)):
                self._taken[name] = port
                return port
        raise OSError(f"no free port for {name} between {_RANGE.start} and {_RANGE.stop}")

    def save(self) -> None:
        """Remembers what was taken."""
        write_private(self._file, json.dumps(self._taken, indent=1))
