"""The offline model's threads, and one user's hundred photos before another's one."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from mesh.models.usage import Terms
from tests.support.sample_photos import note
from vision_svc.classifiers.classification import UNKNOWN, Classification
from vision_svc.classifiers.offline import Offline
from vision_svc.photos.photos import Identity, Photo


class _HeldModel:
    """A model that looks at nothing until it is let."""

    version = "held"

    def __init__(self) -> None:
        self.go = Event()

    def classify(self, pixels: object) -> Classification:
        assert self.go.wait(60)
        return Classification(UNKNOWN, 0.0, (), "held", "held")


@pytest.fixture
def cpu() -> Iterator[ThreadPoolExecutor]:
    """One thread."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


async def test_a_look_doesnt_wait_for_all_of_another_users(cpu: ThreadPoolExecutor) -> None:
    """Small photos pass the decoders faster than the model looks at them, so they would queue up here."""
    model: Any = _HeldModel()
    offline, photo, done = Offline(model, cpu, 1), Photo(note(), Identity("0" * 64, 720, 960)), list[str]()

    async def look(user: str) -> None:
        await offline.classify(photo, Terms(user, 60.0))
        done.append(user)

    async with asyncio.TaskGroup() as group:
        for user in [*["many"] * 20, "one"]:
            group.create_task(look(user))
        await asyncio.sleep(0)  # all of them have asked
        model.go.set()
    assert done.index("one") <= 1
