"""The offline model behind hosted ones: usable from the start, in memory only when it is needed."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from mesh.models.usage import Terms
from tests.support.sample_photos import note
from tests.unit.vision.photos.cleaned import cleaned
from vision_svc.classifiers import lazy_offline
from vision_svc.classifiers.classification import UNKNOWN, Classification
from vision_svc.classifiers.fallback_chain import Classifier
from vision_svc.classifiers.lazy_offline import LazyOffline
from vision_svc.model import MODEL, ModelUnusable
from vision_svc.model.convert import convert
from vision_svc.photos.photos import Photo

_TERMS = Terms("", 0)


class _Loaded:
    name = version = "offline"

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        return Classification(UNKNOWN, 0.0, (), "offline", "offline")


class _Loader:
    """Loads when it is let, as often as it is asked; fails while told to."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.loads = 0
        self.fails = False

    def __call__(self) -> Classifier:
        self.loads += 1
        self.let.wait(5)
        if self.fails:
            raise OSError("no memory")
        return _Loaded()


@pytest.fixture
def photo() -> Photo:
    return cleaned(note())


@pytest.fixture
def cpu() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


async def test_it_is_loaded_once_and_not_before_it_is_asked(photo: Photo, cpu: Executor) -> None:
    """Many photos come at once when a hosted model fails; one that leaves doesn't take the model from the others."""
    load = _Loader()
    last_resort = LazyOffline(load, cpu)
    assert load.loads == 0
    first, *others = [asyncio.create_task(last_resort.classify(photo, _TERMS)) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    load.let.set()
    found = await asyncio.gather(*others, last_resort.classify(photo, _TERMS))
    assert [one.provider for one in found] == ["offline"] * 3
    assert first.cancelled()
    assert load.loads == 1


async def test_a_load_that_failed_is_tried_again(photo: Photo, cpu: Executor) -> None:
    """What was short for a moment mustn't leave Vision blind until it is restarted."""
    load = _Loader()
    load.let.set()
    load.fails = True
    last_resort = LazyOffline(load, cpu)
    with pytest.raises(OSError, match="memory"):
        await last_resort.classify(photo, _TERMS)
    load.fails = False
    assert (await last_resort.classify(photo, _TERMS)).provider == "offline"


async def test_it_sees_what_the_model_sees(photo: Photo, cpu: Executor) -> None:
    """With the real file."""
    convert(MODEL)
    found = await LazyOffline(partial(lazy_offline.load, MODEL, cpu, 2), cpu).classify(photo, _TERMS)
    assert found.kind.category.middle == "종이"


def test_the_models_file_is_usable() -> None:
    """Found out in another process: this one stays small."""
    convert(MODEL)
    lazy_offline.demand_usable(MODEL)


def test_a_missing_file_is_found_out_at_start(tmp_path: Path) -> None:
    """Else a Vision without its last resort would look healthy until the hosted model fails."""
    with pytest.raises(ModelUnusable):
        lazy_offline.demand_usable(tmp_path / "none.onnx")


def test_a_damaged_file_is_found_out_at_start(tmp_path: Path) -> None:
    """As a broken download leaves it."""
    convert(MODEL)
    damaged = tmp_path / "half.onnx"
    damaged.write_bytes(MODEL.read_bytes()[: MODEL.stat().st_size // 2])
    with pytest.raises(ModelUnusable):
        lazy_offline.demand_usable(damaged)
