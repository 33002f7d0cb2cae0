"""The offline model: two EfficientNets, a trained head on each, and what ImageNet's classes say about waste.

Runs on the CPU with onnxruntime and numpy, some 45 ms a photo on one core, in the thread that calls it. Its limits
are in `vision_svc.classifiers.thresholds` and `model/README.md`.
"""

import asyncio
import hashlib
import sys
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from mesh.concurrency.fair_slots import FairSlots
from mesh.models.usage import Terms
from vision_svc.classifiers.classification import UNKNOWN, Classification
from vision_svc.classifiers.labels import KINDS
from vision_svc.classifiers.onnx_runtime import onnxruntime
from vision_svc.classifiers.pixels import Pixels, pixels
from vision_svc.classifiers.thresholds import Probabilities, judge
from vision_svc.model import BACKBONES, FEATURE_SCALE, HEADS, IMAGENET, Backbone, ModelUnusable
from vision_svc.photos.photos import Photo

_HEAD_SHARE = 0.6  # of the probability; the rest comes from the ImageNet map, which covers more than the head
_LEAST_WASTE = 0.15  # below this share of waste classes the ImageNet map is ignored instead of scaled up
_IMAGENET_CLASSES = 1000
_LEAST_SIDE = 16  # pixels; smaller pictures are refused
_LEAST_SPREAD = 2.0  # standard deviation of 0 to 255; a covered lens has less, the dullest of our photos 14

_OUTPUTS = [f"{backbone.name}.{output}" for backbone in BACKBONES for output in ("logits", "features")]

_Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Head:
    """One backbone's features to labels: a linear softmax classifier.

    Attributes:
        weights: [labels, features]; a zero row for a label the head doesn't know.
        bias: [labels]; minus infinity for a label the head doesn't know.
    """

    weights: _Vector
    bias: _Vector

    @classmethod
    def load(cls) -> tuple[Self, ...]:
        """The heads of all backbones, in their order."""
        with np.load(HEADS) as file:
            known = {str(label): row for row, label in enumerate(file["labels"])}
            heads = list(zip(file["weights"], file["bias"], strict=True))
        return tuple(cls._of_every_label(known, weights, bias) for weights, bias in heads)

    @classmethod
    def _of_every_label(cls, known: Mapping[str, int], weights: _Vector, bias: _Vector) -> Self:
        absent = np.zeros(weights.shape[1], np.float32)
        return cls(
            np.stack([weights[known[label]] if label in known else absent for label in KINDS]),
            np.array([bias[known[label]] if label in known else -np.inf for label in KINDS], np.float32),
        )

    def beliefs(self, features: _Vector) -> _Vector:
        scaled = features * np.float32(FEATURE_SCALE / np.linalg.norm(features))
        return _softmax(self.weights @ scaled + self.bias)


@dataclass(frozen=True, slots=True)
class _ImageNet:
    """ImageNet's classes to labels.

    Attributes:
        waste: 1 where a class shows a label, [classes, labels].
        nonwaste: Which classes show no waste, [classes].
    """

    waste: _Vector
    nonwaste: NDArray[np.bool_]

    @classmethod
    def load(cls) -> Self:
        table = yaml.safe_load(IMAGENET.read_text("utf-8"))
        waste = np.zeros((_IMAGENET_CLASSES, len(KINDS)), np.float32)
        for column, label in enumerate(KINDS):
            waste[list(table["waste"].get(label, {})), column] = 1
        nonwaste = np.zeros(_IMAGENET_CLASSES, np.bool_)
        for first, last in table["nonwaste"]:
            nonwaste[first : last + 1] = True
        return cls(waste, nonwaste)

    def beliefs(self, classes: _Vector) -> _Vector:
        labels = classes @ self.waste
        return labels / np.float32(max(float(labels.sum()), _LEAST_WASTE))


class OfflineClassifier:
    """Classifies photos with the offline model. Safe to call from several threads at once.

    Args:
        session: The backbones.
        model: Name of exactly this model.
    """

    def __init__(self, session: onnxruntime.InferenceSession, model: str) -> None:
        self._session = session
        self._model = model
        self._heads = _Head.load()
        self._imagenet = _ImageNet.load()

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads the backbones and classifies one blank photo, so that the first real one isn't slower.

        Args:
            file: The ONNX file that `vision_svc.model.convert` builds.

        Raises:
            ModelUnusable: There is no such file.
        """
        if not file.is_file():
            raise ModelUnusable(f"{file} is missing; build it with: python -m vision_svc.model.convert")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # photos run side by side; one photo doesn't need all cores
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # 23 MiB less for a tenth more CPU: it keeps what one photo needed
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        classifier = cls(session, f"efficientnet-lite1+2-{_digest(file, HEADS, IMAGENET)[:12]}")
        classifier.beliefs(np.zeros((_LEAST_SIDE, _LEAST_SIDE, 3), np.uint8))
        return classifier

    @property
    def version(self) -> str:
        """Name of exactly this model."""
        return self._model

    def classify(self, pixels: Pixels) -> Classification:
        """What the photo shows.

        Args:
            pixels: RGB, uint8 [height, width, 3]; any size, since it is squeezed into a square.
        """
        if _is_empty(pixels):
            return Classification(UNKNOWN, 0.0, (), provider="offline", model=self._model)
        return judge(self.beliefs(pixels), provider="offline", model=self._model)

    def beliefs(self, pixels: Pixels) -> Probabilities:
        """The model's probabilities, before any threshold. Arguments as for `classify`."""
        image = Image.fromarray(pixels)
        images = {f"{backbone.name}.image": _square(image, backbone) for backbone in BACKBONES}
        outputs = iter(self._session.run(_OUTPUTS, images))
        opinions = [self._opinion(head, next(outputs)[0], next(outputs)[0]) for head in self._heads]
        labels, nonwaste = np.mean([labels for labels, _ in opinions], axis=0), np.mean([none for _, none in opinions])
        return Probabilities(labels=dict(zip(KINDS, labels.tolist(), strict=True)), nonwaste=float(nonwaste))

    def _opinion(self, head: _Head, logits: _Vector, features: _Vector) -> tuple[_Vector, float]:
        """What one backbone makes of a photo: the probability of each label, and that it is no waste."""
        classes = _softmax(logits)
        mixed = _HEAD_SHARE * head.beliefs(features) + (1 - _HEAD_SHARE) * self._imagenet.beliefs(classes)
        return mixed, float(classes[self._imagenet.nonwaste].sum())


class Offline:
    """The offline model as a classifier of the chain, in threads, which users share by the time their photos take.

    Args:
        model: The model.
        cpu: Threads for CPU work; as many as there are cores.
        threads: How many these are.
    """

    name = "offline"

    def __init__(self, model: OfflineClassifier, cpu: Executor, threads: int) -> None:
        self._model = model
        self._cpu = cpu
        self._slots = FairSlots(threads)  # the executor's own queue is first come, first served

    @property
    def version(self) -> str:
        """The exact model."""
        return self._model.version

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """As the chain's port says; costs nothing."""
        look = partial(_look, self._model, photo)
        async with self._slots.slot(terms.account, batch=terms.batch):
            return await asyncio.get_running_loop().run_in_executor(self._cpu, look)


def _look(model: OfflineClassifier, photo: Photo) -> Classification:
    return model.classify(pixels(photo))


def _is_empty(pixels: Pixels) -> bool:
    """Whether the photo shows nothing; the model would name something all the same."""
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        return True
    # Every fourth pixel of every fourth row gives the same result in a tenth of the time.
    return float(pixels[::4, ::4].std(axis=(0, 1)).max()) < _LEAST_SPREAD


def _digest(*files: Path) -> str:
    """One digest for all the files an answer depends on."""
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            whole.update(hashlib.file_digest(opened, "sha256").digest())
    return whole.hexdigest()


def _square(image: Image.Image, backbone: Backbone) -> _Vector:
    """A backbone's input, float32 [1, 3, side, side]."""
    width, height = image.size
    left, top = width * (1 - backbone.share) / 2, height * (1 - backbone.share) / 2
    middle = (left, top, width - left, height - top)
    square = image.resize((backbone.side, backbone.side), Image.Resampling.BICUBIC, middle)
    channels = np.asarray(square, np.float32).transpose(2, 0, 1)[np.newaxis]
    scaled: _Vector = (channels - np.float32(127)) / np.float32(128)
    return scaled


def _softmax(scores: _Vector) -> _Vector:
    powers: _Vector = np.exp(scores - scores.max())
    shares: _Vector = powers / powers.sum()
    return shares


if __name__ == "__main__":  # the test of `vision_svc.classifiers.lazy_offline`
    OfflineClassifier.load(Path(sys.argv[1]))
