"""Where people may be sent back to: what the operator lists, and nothing like it."""

from collections.abc import Sequence
from urllib.parse import urlsplit

# RFC 8252, 7.3: a program on the user's own machine listens on whatever port is free.
_LOOPBACK = ("127.0.0.1", "[::1]")


class RedirectTargets:
    """The allowed targets.

    Args:
        allowed: Each is compared letter by letter; of http addresses on loopback the port may be any.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = frozenset(_without_port(one) for one in allowed)

    def __contains__(self, target: str) -> bool:
        return _without_port(target) in self._allowed


def _without_port(target: str) -> str:
    for host in _LOOPBACK:
        prefix = f"http://{host}"
        if target.startswith(f"{prefix}:"):
            port, slash, rest = target.removeprefix(f"{prefix}:").partition("/")
            if port.isascii() and port.isdigit() and 0 < int(port) < 65536 and urlsplit(target).port == int(port):
                return f"{prefix}{slash}{rest}"
    return target
