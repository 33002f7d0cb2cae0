"""The offline model's files: where they are, and what they must be.

The ONNX file is built at set-up (`python -m vision_svc.model.convert`) and not committed; the heads are committed.
"""

from dataclasses import dataclass
from pathlib import Path

from mesh.settings import Misconfigured

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Backbone:
    """One of the networks that look at a photo.

    Attributes:
        name: What its input and outputs are called by in the ONNX file.
        side: Of the square it looks at, in pixels.
        share: Of the photo's width and height, in its middle, that the square shows.
    """

    name: str
    side: int
    share: float


BACKBONES = (Backbone("lite1", 240, 0.8), Backbone("lite2", 260, 1.0))
"""In the order of the heads."""

MODEL = FOLDER / "efficientnet-lite.onnx"
MODEL_SHA256 = "a6bfeed783aaedc6d59117ab67d99cf40c2f14fbcfc6765904f5949a19984719"

HEADS = FOLDER / "heads.npz"
IMAGENET = FOLDER / "imagenet.yaml"

FEATURE_SCALE = 10.0
"""Length every feature vector is brought to before a head sees it; training and inference must agree on it."""


class ModelUnusable(Misconfigured):
    """The model's file isn't there, or isn't one that can be loaded."""
