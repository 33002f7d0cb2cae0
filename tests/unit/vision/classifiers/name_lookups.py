"""Runs a command and prints the first name that it asks a resolver for: `python name_lookups.py SECONDS COMMAND…`.

The command runs in namespaces of its own: its network has loopback only, and its resolver is this process.
"""

import fcntl
import select
import socket
import struct
import subprocess
import sys
import tempfile

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_DNS = ("127.0.0.1", 53)
NAMESPACES = ("unshare", "--user", "--map-root-user", "--net", "--mount")


def main(seconds: float, command: list[str]) -> None:
    """Prints the first question that the command asks of the resolver within so many seconds, if it asks any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver, tempfile.NamedTemporaryFile("w") as file:
        fcntl.ioctl(resolver, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        resolver.bind(_DNS)
        file.write(f"nameserver {_DNS[0]}\n")
        file.flush()
        subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            print(child.stdout.readline().decode().strip())
            if select.select([resolver], [], [], seconds)[0]:
                print("asked for", resolver.recv(4096)[12:].split(b"\0")[0])
            child.communicate()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
