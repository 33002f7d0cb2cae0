"""Where Redis is: one server, one that Sentinels name, or a cluster. Knows no client, so settings can check it."""

from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

Shape = Literal["single", "sentinel", "cluster"]

_SCHEMES: dict[str, Shape] = {
    "redis": "single",
    "rediss": "single",
    "unix": "single",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
_PORTS: dict[Shape, int] = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True, repr=False)
class RedisAddress:
    """A parsed address. Has no `repr`, since it holds a password.

    Attributes:
        shape: What is there.
        url: As it was given; redis-py reads that of a single server by itself.
        tls: Whether connections are TLS.
        nodes: Host and port of the server, of each Sentinel, or of nodes of the cluster; empty for a Unix socket.
        primary: What the Sentinels call the primary; empty without Sentinels.
        user: Whom to log in as; empty for the default user.
        password: With what; empty for none.
        options: Further ones for redis-py's connections, such as `ssl_ca_certs`; and `sentinel_password`.
    """

    shape: Shape
    url: str
    tls: bool
    nodes: tuple[tuple[str, int], ...]
    primary: str
    user: str
    password: str
    options: dict[str, str]

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads an address.

        Raises:
            ValueError: It is none; the text says what is wrong and holds nothing of it, since it may be a secret.
        """
        scheme, colon, rest = url.partition("://")
        shape = _SCHEMES.get(scheme)
        if shape is None or not colon:
            raise ValueError("it begins with redis://, redis+sentinel:// or redis+cluster://")
        try:
            parts = urlsplit(f"redis://{rest}")
        except ValueError:  # a bracket that isn't closed; its own text shows the address
            raise ValueError("an IPv6 address stands in brackets, such as [::1]:6379") from None
        logins, _, hosts = parts.netloc.rpartition("@")
        user, _, password = logins.partition(":")
        nodes = () if scheme == "unix" else _nodes(hosts, shape)
        return cls(
            shape=shape,
            url=url,
            tls=scheme.startswith("rediss"),
            nodes=nodes,
            primary=_primary(parts, shape),
            user=unquote(user),
            password=unquote(password),
            options=dict(parse_qsl(parts.query)),
        )


def _nodes(hosts: str, shape: Shape) -> tuple[tuple[str, int], ...]:
    nodes = tuple(_node(text, place, _PORTS[shape]) for place, text in enumerate(hosts.split(","), 1))
    if shape == "single" and len(nodes) > 1:
        raise ValueError("redis:// names one server; several are redis+cluster:// or redis+sentinel://")
    return nodes


def _node(text: str, place: int, default_port: int) -> tuple[str, int]:
    """A host and its port. An `@` or `/` in a password that isn't escaped ends up here."""
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    host, port = (host, port) if colon else (host or port, str(default_port))
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if not bare or (":" in bare) is not bracketed or any(sign in bare for sign in " []\\"):
        raise ValueError(f"address {place} isn't host:port; signs in a password are escaped, such as %40 for @")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) <= _HIGHEST_PORT):
        raise ValueError(f"the port of address {place} isn't 1 to {_HIGHEST_PORT}")
    return bare, int(port)


def _primary(parts: SplitResult, shape: Shape) -> str:
    path = unquote(parts.path.strip("/"))
    if shape == "sentinel" and (not path or "/" in path):
        raise ValueError("it ends in /NAME, which is what the Sentinels call the primary")
    if shape == "cluster" and path not in ("", "0"):
        raise ValueError("a cluster has database 0 alone, so no path follows the addresses")
    return path if shape == "sentinel" else ""
