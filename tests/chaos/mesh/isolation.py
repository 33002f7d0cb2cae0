"""A network and mounts of the run's own, so that it can do what a machine doesn't allow: small disks, a public address.

Webhooks go to public addresses only, and are sent to one here: the namespace's loopback has it. Disks that can fill up
are tmpfs. Both take namespaces, which root has and most ordinary users may make; where they are forbidden the run goes
on without, and says so.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Any that `mesh.addresses` takes for public; nothing ever leaves the namespace for it.
ADDRESS = "93.184.215.14"

_INSIDE = "ECO2_CHAOS_ISOLATED"
_SIOCSIFFLAGS, _SIOCSIFADDR, _IFF_UP = 0x8914, 0x8916, 0x1


def command(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """How to run a program in namespaces of its own.

    Returns:
        The command, and what to add to its environment: nothing where namespaces are forbidden.
    """
    if shutil.which("unshare") is None:
        return list(words), {}
    wanted = ["unshare", "--net", "--mount"]
    if os.geteuid() != 0:
        wanted += ["--user", "--map-root-user"]
    probe = subprocess.run([*wanted, "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        return list(words), {}
    return [*wanted, "--", *words], {_INSIDE: "1"}


def isolated() -> bool:
    """Whether this process is in namespaces that `command` made."""
    return _INSIDE in os.environ


def enter() -> None:
    """Brings the namespace's loopback up, with the public address on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        address = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(ADDRESS))
        fcntl.ioctl(handle, _SIOCSIFADDR, address)


def mount_disk(folder: Path, megabytes: int) -> None:
    """Puts a small disk of its own under a folder."""
    folder.mkdir(mode=0o700)
    options = f"size={megabytes}m,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "eco2-chaos", str(folder)], check=True)
