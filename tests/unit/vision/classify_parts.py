"""A photo classifier with a storage, a web and a model that do what a test says."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from io import BytesIO

from mesh.errors import EcoError
from mesh.models.usage import Terms, Usage, settled
from tests.support.sample_storage import SampleStorage
from vision_svc.classifiers.cache import Cache, CachedClassifier
from vision_svc.classifiers.classification import UNKNOWN, Classification, ClassificationOutcome
from vision_svc.classifiers.fallback_chain import FallbackChain
from vision_svc.classify import ClassifiedPhoto, KnownFile, Phase, PhotoClassifier, PhotoSource
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.cleaning import clean
from vision_svc.photos.locations import Location, Stored
from vision_svc.photos.memfile import MemFile
from vision_svc.photos.photos import Photo
from vision_svc.photos.storage import PhotoStorage

PHASES = [Phase.FETCH, Phase.PREPARE, Phase.CLASSIFY]


class FakeWeb:
    """Answers every address with one file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.asked: list[str] = []

    async def load(self, address: str, into: MemFile) -> None:
        self.asked.append(address)
        into.write(self._content)


class ScriptedModel:
    """Counts how often it is asked; waits for `go`."""

    name = version = "fake"

    def __init__(self, outcome: ClassificationOutcome = ClassificationOutcome.SURE) -> None:
        self.calls = 0
        self.go = asyncio.Event()
        self.go.set()
        self._outcome = outcome

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        await self.go.wait()
        self.calls += 1
        return Classification(UNKNOWN, 0.0, (), "fake", "fake", outcome=self._outcome)


class PaidModel(ScriptedModel):
    """Comes to the same whenever it is asked, for money."""

    def __init__(self, outcome: Classification | EcoError) -> None:
        super().__init__()
        self._comes_to = outcome

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        self.calls += 1
        terms.meter.add(Usage("fake", cost_micro_usd=7))
        if isinstance(self._comes_to, EcoError):
            raise settled(self._comes_to)
        return self._comes_to


class ClassifyParts:
    """A photo classifier, and what it works with."""

    def __init__(
        self, photos: Mapping[str, bytes], *, queue: int = 0, outside: bytes = b"", model: ScriptedModel | None = None
    ) -> None:
        self.storage, self.web, self.model = SampleStorage(photos), FakeWeb(outside), model or ScriptedModel()
        self.cleaned = 0
        self.batch = list[bool]()  # of each that was cleaned
        self.discarded: list[str] = []
        self.classifier = PhotoClassifier(
            PhotoSource(PhotoStorage(self.storage, self.discarded.append), Bulkhead(1, queue)),
            PhotoSource(self.web, Bulkhead(1, queue)),
            self._clean,
            FallbackChain([CachedClassifier(self.model, Cache(None, "", Classification))]),
            Cache(None, "", KnownFile),
        )

    async def _clean(self, file: MemFile, account: str, *, batch: bool) -> Photo:
        self.cleaned += 1
        self.batch.append(batch)
        return clean(BytesIO(file.content()), len(file))

    async def events(self, location: Location, *, batch: bool = False) -> list[Phase | ClassifiedPhoto]:
        async with aclosing(self.classifier.classify(location, terms(batch=batch))) as events:
            return [event async for event in events]

    async def upload(self, key: str) -> list[Phase | ClassifiedPhoto]:
        """As for a scan that was started: the photo that was checked is the one that counts."""
        return await self.events(Stored(key, (await self.storage.look(key)).etag))

    def start(self, key: str) -> aclosing[AsyncGenerator[Phase | ClassifiedPhoto, None]]:
        return aclosing(self.classifier.classify(Stored(key), terms()))


def terms(*, batch: bool = False) -> Terms:
    return Terms("nobody", 10.0, batch=batch)
