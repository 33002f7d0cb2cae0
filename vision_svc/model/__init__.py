"""The offline model's files: where they are, and what they must be.

The ONNX file is built at set-up (`python -m vision_svc.model.convert`) and not committed; the head is committed.
"""

from pathlib import Path

from mesh.settings import Misconfigured

FOLDER = Path(__file__).parent

BACKBONE = FOLDER / "efficientnet-lite2.onnx"
BACKBONE_SHA256 = "a488b5829a8cc60cd8b9c49f236f2c73eadb64e883e4273ee5611311e5539c93"

HEAD = FOLDER / "head.npz"
IMAGENET = FOLDER / "imagenet.yaml"

IMAGE_SIZE = 260
"""Side of the square the backbone looks at, in pixels."""

FEATURE_SCALE = 10.0
"""Length every feature vector is brought to before the head sees it; training and inference must agree on it."""


class ModelUnusable(Misconfigured):
    """The backbone's file isn't there, or isn't one that can be loaded."""
