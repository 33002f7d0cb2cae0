"""The decoder of clips: a process that takes the frames out of one clip, and ends.

It lives as that of photos does (`vision_svc.photos.decoder`): without keys, gRPC, files or connections, with limits on
memory and time. It gives way to everything else on its machine, since nobody expects a clip to be looked through at
once. The request is a message with the clip's size and how many frames are wanted, and the descriptor of a file in
memory; the frames are written behind the clip, one after the other. Messages tell how far it is; the last one tells of
the frames, or why there are none.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict

from mesh.errors import EcoError
from vision_svc.clips.clips import Frame
from vision_svc.clips.container import File
from vision_svc.clips.extraction import extract
from vision_svc.photos.cleaning import configure
from vision_svc.photos.sandbox import confine, limit_time

_REQUEST_BYTES = 32
_NICENESS = 10


def main(megabytes: int, seconds: int) -> None:
    """Serves one clip.

    Args:
        megabytes: Address space this process may use.
        seconds: CPU time the clip may take; the kernel ends the process when it takes longer.
    """
    os.nice(_NICENESS)
    configure()
    with socket.socket(fileno=sys.stdin.fileno()) as wire:
        confine(megabytes)
        message, descriptors, _, _ = socket.recv_fds(wire, _REQUEST_BYTES, 1)
        if message:
            limit_time(seconds)
            size, most = map(int, message.split())
            _tell(wire, _extracted(wire, descriptors[0], size, most))


def _extracted(wire: socket.socket, descriptor: int, size: int, most: int) -> Mapping[str, object]:
    """Writes the frames behind the clip; returns what they are, or why it is refused."""
    try:
        frames = extract(File(descriptor, size), most, lambda seen: _tell(wire, {"seen": asdict(seen)}))
    except EcoError as error:
        return {"reason": error.reason, "metadata": error.metadata}
    place = size
    for frame in frames:
        place += os.pwrite(descriptor, frame.jpeg, place)
    return {"frames": [_described(frame) for frame in frames]}


def _described(frame: Frame) -> Mapping[str, object]:
    return {"size": len(frame.jpeg), "second": round(frame.second, 3), **asdict(frame.identity)}


def _tell(wire: socket.socket, message: Mapping[str, object]) -> None:
    wire.send(json.dumps(message).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
