"""The offline model behind hosted ones: loaded when they first fail, since it takes 100 MiB.

At start a process that ends again loads it as a test, so Vision doesn't start with a model that can't be loaded. The
first photo that needs it waits about a second for it; from then on it stays loaded.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from mesh.models.usage import Terms
from mesh.process import memory
from vision_svc.classifiers.classification import Classification
from vision_svc.classifiers.fallback_chain import Classifier
from vision_svc.model import ModelUnusable
from vision_svc.photos.photos import Photo


class LazyOffline:
    """The offline model as a classifier of the chain, loaded when it is first asked.

    Args:
        load: Loads it; called in a thread.
        cpu: Threads for CPU work.
    """

    # A constant will do: this version is a cache key in this process alone.
    name = version = "offline"

    def __init__(self, load: Callable[[], Classifier], cpu: Executor) -> None:
        self._load = load
        self._cpu = cpu
        self._loading: asyncio.Future[Classifier] | None = None

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """As the chain's port says."""
        if self._loading is None:
            self._loading = asyncio.get_running_loop().run_in_executor(self._cpu, self._load)
        loading = self._loading
        try:
            model = await asyncio.shield(loading)  # a caller that is cancelled must not cancel it for the others
        except Exception:
            if self._loading is loading:
                self._loading = None  # the next photo tries again
            raise
        return await model.classify(photo, terms)


def load(backbone: Path, cpu: Executor, threads: int) -> Classifier:
    """Loads the offline model.

    Args:
        backbone: Its ONNX file.
        cpu: Threads for CPU work.
        threads: How many these are.

    Raises:
        ModelUnusable: There is no such file.
    """
    # Imported here, since onnxruntime and numpy alone take 30 MiB.
    from vision_svc.classifiers.offline import Offline, OfflineClassifier

    model = OfflineClassifier.load(backbone)
    memory.give_back()
    return Offline(model, cpu, threads)


def demand_usable(backbone: Path) -> None:
    """Loads the model in a process of its own, which classifies one blank photo and ends.

    Args:
        backbone: Its ONNX file.

    Raises:
        ModelUnusable: It can't be loaded.
    """
    command = (sys.executable, "-m", "vision_svc.classifiers.offline", str(backbone))
    trial = subprocess.run(command, stderr=subprocess.PIPE, check=False, text=True)
    if trial.returncode:
        told = trial.stderr.strip().rpartition("\n")[2]
        raise ModelUnusable(told or f"{backbone}: the trial ended with status {trial.returncode}")
