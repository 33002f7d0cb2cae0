"""A PostgreSQL of a test's own on a disk of some megabytes, to fill up and to make room on again."""

import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from local.stack.ports import HOST
from local.stack.stores.postgres import USER, binary
from tests.support.ports import free_port

_MEGABYTES = 128
_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
# Root there may mount, but PostgreSQL refuses to run as root: a second namespace makes it somebody.
_START = """
mount -t tmpfs -o size={megabytes}m,mode=700 tmpfs {disk}
exec unshare --user --map-user=1000 --map-group=1000 sh -c {server}
"""
_SERVER = """
{initdb} -D {disk}/data -U {user} --auth=trust --encoding=UTF8 --locale=C.UTF-8 -c fsync=off >&2 &&
exec {postgres} -D {disk}/data -p {port} -c listen_addresses={host} -c unix_socket_directories= \
  -c min_wal_size=32MB -c max_wal_size=32MB -c io_method=sync -c dynamic_shared_memory_type=mmap
"""


class SmallDisk:
    """The server and its disk.

    Args:
        process: The server's.
        disk: Where the disk is, as the server sees it.
        port: Where it listens.
    """

    def __init__(self, process: subprocess.Popen[bytes], disk: Path, port: int) -> None:
        self._filling = Path(f"/proc/{process.pid}/root{disk}") / "filling"
        self.url = f"postgresql://{USER}@{HOST}:{port}/postgres"

    def fill(self) -> None:
        """Leaves not one byte."""
        with suppress(OSError), self._filling.open("ab", buffering=0) as file:
            while file.write(bytes(1 << 16)):
                pass

    def make_room(self) -> None:
        """Takes back what `fill` took."""
        self._filling.unlink()


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """One that ends with the block. Skips the test where this user may make no namespaces."""
    if subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    with tempfile.TemporaryDirectory(prefix="eco2-disk-") as disk, (Path(disk) / "log").open("wb") as log:
        port = free_port()
        names = {"disk": disk, "port": port, "host": HOST, "user": USER, "megabytes": _MEGABYTES}
        server = _SERVER.format(initdb=binary("initdb"), postgres=binary("postgres"), **names)
        start = _START.format(server=shlex.quote(server), **names)
        process = subprocess.Popen([*_NAMESPACE, "sh", "-e", "-c", start], stdout=log, stderr=log)
        try:
            yield SmallDisk(process, Path(disk), port)
        finally:
            process.terminate()
            process.kill()
            process.wait()
