"""The decoder: a process that cleans photos and does nothing else.

C libraries read untrusted bytes here. So this process has none of the service's keys, no gRPC, limits on memory and on
each photo's time, and no descriptor left to open a file or a connection with.

`vision_svc.photos.decoder_pool` starts it with one end of a socket pair as its standard input. A request is a message
with the photo's size in bytes, and the descriptor of a file in memory that begins with the photo; with a second number
it asks for a thumbnail with so many pixels on the longer side. The answer is a message of JSON; the JPEG that was made
is written behind the photo, which stays as it is, so that another decoder may try again if this one dies. It ends when
the other end of the socket is closed.
"""

import json
import mmap
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict

from mesh.errors import EcoError
from vision_svc.photos.cleaning import clean, configure, thumbnail
from vision_svc.photos.photos import demand_size
from vision_svc.photos.sandbox import confine, limit_time

_REQUEST_BYTES = 32


def main(megabytes: int, seconds: int) -> None:
    """Serves until the socket is closed.

    Args:
        megabytes: Address space this process may use.
        seconds: CPU time one photo may take; the kernel ends the process when it takes longer.
    """
    configure()
    with socket.socket(fileno=sys.stdin.fileno()) as wire:
        confine(megabytes)
        while True:
            message, descriptors, _, _ = socket.recv_fds(wire, _REQUEST_BYTES, 1)
            if not message:
                return
            limit_time(seconds)
            try:
                wire.send(json.dumps(_answer(descriptors[0], *map(int, message.split()))).encode())
            finally:
                os.close(descriptors[0])


def _answer(descriptor: int, size: int, side: int = 0) -> Mapping[str, object]:
    """Cleans the photo in a file, or makes a thumbnail of it, and writes that behind it; or tells why it is refused."""
    try:
        demand_size(size)
        with mmap.mmap(descriptor, size, prot=mmap.PROT_READ) as file:
            if side:
                jpeg, about = thumbnail(file.read(), side), {}
            else:
                photo = clean(file, size)
                jpeg, about = photo.jpeg, asdict(photo.identity)
    except EcoError as error:
        return {"reason": error.reason, "metadata": error.metadata}
    os.pwrite(descriptor, jpeg, size)
    return {"size": len(jpeg), **about}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
