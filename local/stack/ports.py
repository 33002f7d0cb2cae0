"""Which port each server listens on: free ones, and the same ones again after a restart."""

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
            if port not in self._taken.values() and is_free(port) and is_free(port + twin):
                self._taken[name] = port
                return port
        raise OSError(f"no free port for {name} between {_RANGE.start} and {_RANGE.stop}")

    def save(self) -> None:
        """Remembers what was taken."""
        write_private(self._file, json.dumps(self._taken, indent=1))
