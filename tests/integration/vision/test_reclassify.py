"""Photos of earlier scans looked at once more for comparisons: by whom one names, and at nobody else's expense."""

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any
from uuid import uuid4

import grpc
import pytest
from PIL import Image

from eco2.vision.v1.vision_service_pb2 import ClassifyRequest, ListClassifiersRequest, ReclassifyRequest
from eco2.vision.v1.vision_service_pb2_grpc import VisionServiceStub
from local.standins.openai.behaviour import Behaviour
from local.standins.openai.request import ModelRequest
from local.standins.openai.server import OpenAIStandIn, running
from local.standins.openai.valid_output import valid_output
from mesh.errors import EcoError
from mesh.grpc.status import from_rpc_error
from mesh.locale import Locale
from mesh.models.factory import open_models
from mesh.models.ledger import Limits, Purse
from mesh.models.metrics import COMPARISON_COST, COST, OPERATION_DURATION, TOKEN_USAGE
from mesh.models.settings import ModelSettings
from mesh.models.usage import Terms
from mesh.observability.instruments import Instruments
from mesh.reasons import Reason
from rules_svc import wire as rules_wire
from rules_svc.loading.reloader import packaged
from tests.support.metrics import Counted
from tests.support.sample_photos import note
from tests.support.sample_storage import SampleStorage
from vision_svc.app import application
from vision_svc.classifiers.cache import Cache, CachedClassifier
from vision_svc.classifiers.classification import Classification
from vision_svc.classifiers.fallback_chain import FallbackChain
from vision_svc.classifiers.hosted import HostedClassifier
from vision_svc.clients import _taxonomy
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.locations import Location, Outside, Stored
from vision_svc.photos.storage import PhotoStorage
from vision_svc.reclassify import Reclassified, Reclassifier
from vision_svc.settings import VisionSettings

_BOOK = packaged().book
_TAXONOMY = _taxonomy(rules_wire.from_book(_BOOK, Locale.KO), rules_wire.from_book(_BOOK, Locale.EN))
_MINI, _LARGE = "gpt-4.1-mini", "gpt-4.1"
_SAYS = {_MINI: "재활용폐기물/종이", _LARGE: "재활용폐기물/비닐류"}
_NAME = "0197b0f0-0000-7000-8000-000000000001.jpg"
_COPY, _UPLOAD = f"photos/{_NAME}", f"uploads/{_NAME}"


def _disagreeing(request: ModelRequest) -> str:
    """Each model sees something else."""
    seen = json.loads(valid_output(request))
    seen["objects"][0]["category"] = _SAYS[request.model]
    return json.dumps(seen, ensure_ascii=False)


def _jpeg() -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 48), "silver").save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIStandIn]:
    """Both models."""
    async with running(OpenAIStandIn(Behaviour(say=_disagreeing))) as stand_in:
        yield stand_in


@pytest.fixture
def bucket() -> SampleStorage:
    """A clean copy beside an upload that never became one."""
    photos = SampleStorage({_UPLOAD: b"raw", "uploads/unclean.jpg": b"raw"})
    photos.contents[_COPY] = (_jpeg(), {"eco2-clean": f"{'ab' * 32} 64 48"})
    return photos


@asynccontextmanager
async def _reclassifier(
    bucket: SampleStorage,
    openai: OpenAIStandIn,
    *,
    limits: Limits | None = None,
    instruments: Instruments | None = None,
    names: Sequence[str] = (_MINI, _LARGE),
) -> AsyncIterator[Reclassifier]:
    chosen = ModelSettings(openai_api_key="none", openai_base_url=openai.base_url)
    counting = instruments or Instruments.off()
    async with open_models(chosen, names, counting, purse=Purse.COMPARISONS, limits=limits) as models:
        opinions = Cache(None, "", Classification)
        looking = (HostedClassifier(model, lambda: _TAXONOMY, "high") for model in models)
        chains = {one.name: FallbackChain([CachedClassifier(one, opinions)]) for one in looking}
        yield Reclassifier(PhotoStorage(bucket, list[str]().append), chains, Bulkhead(2, 10))


async def _ask(reclassifier: Reclassifier, name: str, location: Location | None = None) -> Reclassified:
    return await reclassifier.reclassify(location or Stored(_UPLOAD), name, Terms("", time.monotonic() + 20))


async def _refusal(reclassifier: Reclassifier, name: str, location: Location | None = None) -> EcoError:
    with pytest.raises(EcoError) as caught:
        await _ask(reclassifier, name, location)
    return caught.value


async def test_whom_one_names_is_asked_and_nobody_else(bucket: SampleStorage, openai: OpenAIStandIn) -> None:
    """Two models that disagree say each its own, of the clean copy; storage is as before."""
    before = dict(bucket.contents)
    async with _reclassifier(bucket, openai) as reclassifier:
        found = {name: await _ask(reclassifier, name) for name in _SAYS}
    said = {name: f"{one.classification.kind.category.major}/{one.classification.kind.category.middle}"
            for name, one in found.items()}  # fmt: skip
    assert said == _SAYS
    assert all(one.usage and one.usage.cost_micro_usd and not one.remembered for one in found.values())
    assert [request.model for request in openai.requests] == [_MINI, _LARGE]
    assert (bucket.contents, set(bucket.sent)) == (before, {_COPY})


async def test_what_is_remembered_costs_nothing(bucket: SampleStorage, openai: OpenAIStandIn) -> None:
    """So a comparison that goes on after a crash pays for no photo twice."""
    async with _reclassifier(bucket, openai) as reclassifier:
        first, again = await _ask(reclassifier, _MINI), await _ask(reclassifier, _MINI)
    assert (again.usage, again.remembered, openai.count) == (None, True, 1)
    assert again.classification == first.classification


@pytest.mark.parametrize(
    "location",
    [
        pytest.param(Stored("uploads/unclean.jpg"), id="no clean copy"),
        pytest.param(Stored("photos/gone.jpg"), id="removed"),
        pytest.param(Outside("https://example.com/photo.jpg"), id="elsewhere"),
    ],
)
async def test_a_photo_that_is_not_kept_is_not_looked_for(
    bucket: SampleStorage, openai: OpenAIStandIn, location: Location
) -> None:
    """Least of all at an address elsewhere, which may show another thing by now."""
    async with _reclassifier(bucket, openai) as reclassifier:
        assert (await _refusal(reclassifier, _MINI, location)).reason is Reason.PHOTO_NOT_FOUND
    assert openai.count == 0


async def test_a_classifier_that_is_not_configured_is_named(bucket: SampleStorage, openai: OpenAIStandIn) -> None:
    """With those that are: nobody spends money on a model that has no price."""
    async with _reclassifier(bucket, openai) as reclassifier:
        error = await _refusal(reclassifier, "gpt-9")
    assert (error.reason, error.metadata["known"]) == (Reason.CLASSIFIER_UNKNOWN, f"{_MINI}, {_LARGE}")


async def test_once_the_days_money_is_spent_nobody_is_called(bucket: SampleStorage, openai: OpenAIStandIn) -> None:
    """What it would have cost is known before."""
    async with _reclassifier(bucket, openai, limits=Limits(500, 1_000_000, 1)) as reclassifier:
        error = await _refusal(reclassifier, _MINI)
    assert (error.reason, error.metadata["limit"], openai.count) == (Reason.MODEL_BUDGET_SPENT, "day", 0)


async def test_users_metrics_do_not_move(bucket: SampleStorage, openai: OpenAIStandIn) -> None:
    """What comparisons cost is counted, apart; alerts on duration, tokens and money are about users."""
    counted = Counted()
    async with _reclassifier(bucket, openai, instruments=counted.instruments) as reclassifier:
        found = await _ask(reclassifier, _MINI)
    assert found.usage
    assert counted.of(COMPARISON_COST) == {(_MINI,): pytest.approx(found.usage.cost_micro_usd / 1e6)}
    assert not {COST.name, OPERATION_DURATION.name, TOKEN_USAGE.name} & counted.names()


async def test_a_scans_photo_is_looked_at_again(settings: VisionSettings, put: Callable[[str, bytes], None]) -> None:
    """As the service is composed, on real storage: by the offline model, from the key that the scan has."""
    key = f"uploads/{uuid4()}.jpg"
    put(key, note())
    async with application(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub: Any = VisionServiceStub(channel)
        *_, first = [one async for one in stub.Classify(ClassifyRequest(object_key=key), timeout=60)]
        known = await stub.ListClassifiers(ListClassifiersRequest(), timeout=60)
        again = await stub.Reclassify(ReclassifyRequest(object_key=key, classifier="offline"), timeout=60)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Reclassify(ReclassifyRequest(object_key=key, classifier="gpt-4.1"), timeout=60)
    assert list(known.classifiers) == ["offline"]
    assert again.classification.category == first.result.classification.category
    assert from_rpc_error(caught.value, "vision").reason is Reason.CLASSIFIER_UNKNOWN
