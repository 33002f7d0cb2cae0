"""A hosted model behind the stand-in: one test for each way it can behave, with its outcome and the calls it took."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from local.standins.openai import behaviour
from local.standins.openai.behaviour import Behaviour
from local.standins.openai.server import OpenAIStandIn, running
from mesh.errors import EcoError, FailedPrecondition, InvalidArgument, ResourceExhausted
from mesh.locale import Locale
from mesh.models.factory import open_models
from mesh.models.metrics import COST, OPERATION_DURATION, TOKEN_USAGE
from mesh.models.settings import ModelSettings
from mesh.models.usage import Terms
from mesh.observability.instruments import Instruments
from mesh.reasons import Reason
from rules_svc import wire as rules_wire
from rules_svc.loading.reloader import packaged
from tests.support.metrics import Counted
from tests.support.waiting import eventually
from vision_svc.classifiers.classification import UNKNOWN, Box, Category, Classification, ClassificationOutcome
from vision_svc.classifiers.fallback_chain import FallbackChain
from vision_svc.classifiers.hosted import HostedClassifier
from vision_svc.classifiers.prompts import MOST_OBJECTS
from vision_svc.classifiers.single_flight import SingleFlight
from vision_svc.clients import _taxonomy
from vision_svc.photos.photos import Identity, Photo

_BOOK = packaged().book
_UNCOUNTED = Instruments.off()
_TAXONOMY = _taxonomy(rules_wire.from_book(_BOOK, Locale.KO), rules_wire.from_book(_BOOK, Locale.EN))
_CAN = Category("재활용폐기물", "금속류", "음료캔")
_PAPER = "재활용폐기물/종이"


def _photo(digest: str = "a", size: tuple[int, int] = (64, 48)) -> Photo:
    file = BytesIO()
    Image.new("RGB", size, "silver").save(file, "JPEG")
    return Photo(file.getvalue(), Identity(digest, *size))


def _terms(seconds: float = 20, account: str = "mina") -> Terms:
    return Terms(account, time.monotonic() + seconds)


def _thing(category: str = _PAPER, confidence: float = 0.9, **fields: Any) -> dict[str, Any]:
    thing = {"tags": [], "material": "paper", "form": "sheet", "mixed": False}
    return {"category": category, "confidence": confidence, **thing, **fields}


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIStandIn]:
    async with running() as stand_in:
        yield stand_in


@asynccontextmanager
async def _hosted(
    openai: OpenAIStandIn, *names: str, instruments: Instruments = _UNCOUNTED, **settings: Any
) -> AsyncIterator[list[HostedClassifier]]:
    patience = {"model_first_byte_seconds": 0.5, **settings}
    chosen = ModelSettings(openai_api_key="none", openai_base_url=openai.base_url, **patience)
    async with open_models(chosen, names or ["gpt-4.1-mini"], instruments) as models:
        yield [HostedClassifier(model, lambda: _TAXONOMY, "high") for model in models]


@pytest.fixture
async def hosted(openai: OpenAIStandIn) -> AsyncIterator[HostedClassifier]:
    async with _hosted(openai) as [classifier]:
        yield classifier


class _Offline:
    """The last of a chain, which always has an opinion."""

    name = version = "offline"

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        return Classification(UNKNOWN, 0.1, (), "offline", "offline")


async def test_a_classification_is_in_our_own_words(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """With snapshot, prompt and cost, and nothing but the photo sent."""
    terms = _terms()
    found = await hosted.classify(_photo(), terms)
    assert (found.kind.category, found.outcome) == (_CAN, ClassificationOutcome.SURE)
    assert found.kind.name == _TAXONOMY.kinds["재활용폐기물/금속류/음료캔"].name
    assert found.model == "gpt-4.1-mini-2026-01-15"
    assert found.prompt_version in hosted.version
    assert terms.meter.total is not None
    assert terms.meter.total.cost_micro_usd > 0
    assert b"mina" not in openai.requests[0].content


MENDED = [
    (behaviour.rate_limited(retry_after=0.2), 2),
    (behaviour.rate_limited(), 2),
    (behaviour.failing(500), 2),
    (behaviour.failing(529), 2),
    (behaviour.slow(5), 2),
    (behaviour.stalling(), 2),
    (behaviour.cut(), 2),
]


@pytest.mark.parametrize(("treatment", "calls"), MENDED)
async def test_what_may_pass_is_tried_again(
    hosted: HostedClassifier, openai: OpenAIStandIn, treatment: Behaviour, calls: int
) -> None:
    """Limits, faults and silence, within the deadline; each try is on the bill."""
    openai.script(treatment)
    terms = _terms()
    assert (await hosted.classify(_photo(), terms)).kind.category == _CAN
    assert terms.meter.total is not None
    assert (openai.count, terms.meter.total.calls) == (calls, calls)


LASTING = [
    (behaviour.refusing(), Reason.MODEL_REFUSED),
    (behaviour.running_long(), Reason.MODEL_CUT_SHORT),
    (behaviour.filtered(), Reason.MODEL_FILTERED),
    (behaviour.babbling(), Reason.MODEL_OUTPUT_INVALID),
    (behaviour.breaking_schema(), Reason.MODEL_OUTPUT_INVALID),
    (behaviour.flooding(), Reason.MODEL_OUTPUT_INVALID),
    (behaviour.changing(objects=[_thing("재활용폐기물/석재")]), Reason.MODEL_OUTPUT_INVALID),
    (behaviour.changing(objects=[_thing(tags=["반짝임"])]), Reason.MODEL_OUTPUT_INVALID),
    (behaviour.changing(objects=[_thing(confidence=7)]), Reason.MODEL_OUTPUT_INVALID),
    (behaviour.changing(objects=[]), Reason.MODEL_OUTPUT_INVALID),
    (behaviour.quota_spent(), Reason.MODEL_REJECTED),
    (Behaviour(status=401, code="invalid_api_key"), Reason.MODEL_REJECTED),
]


@pytest.mark.parametrize(("treatment", "reason"), LASTING)
async def test_what_lasts_is_paid_once(
    hosted: HostedClassifier, openai: OpenAIStandIn, treatment: Behaviour, reason: Reason
) -> None:
    """Another try would end the same way and cost the same."""
    openai.script(treatment)
    with pytest.raises(EcoError) as caught:
        await hosted.classify(_photo(), _terms())
    assert (caught.value.reason, openai.count) == (reason, 1)


async def test_no_try_outlasts_the_deadline(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """A Retry-After beyond it is handed on at once."""
    openai.script(behaviour.rate_limited(retry_after=30))
    with pytest.raises(ResourceExhausted) as caught:
        await hosted.classify(_photo(), _terms(seconds=5))
    assert (caught.value.reason, caught.value.retry_after) == (Reason.MODEL_RATE_LIMITED, 30)
    assert openai.count == 1


async def test_a_doubtful_answer_becomes_a_question(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """미분류 with its candidates: sorting wrongly is worse than asking."""
    openai.script(behaviour.changing(objects=[_thing(confidence=0.3)], candidates=[]))
    found = await hosted.classify(_photo(), _terms())
    assert (found.kind, found.outcome) == (UNKNOWN, ClassificationOutcome.UNSURE)
    assert [candidate.kind.category.middle for candidate in found.candidates] == ["종이"]


async def test_several_things_are_named(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """The first is classified, the others are told."""
    openai.script(behaviour.changing(objects=[_thing(), _thing("재활용폐기물/유리병")]))
    found = await hosted.classify(_photo(), _terms())
    assert [other.kind.category.middle for other in found.others] == ["유리병"]
    assert "다수_품목_혼합" in found.tags


async def test_things_have_their_places(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """Each with its own kind, situation and box; named twice it is one, and a wrong box costs the box alone."""
    can, jar = "재활용폐기물/금속류/음료캔", "재활용폐기물/유리병/식품병"
    openai.script(
        behaviour.changing(
            objects=[
                _thing(can, box=[0, 100, 500, 1000], tags=["깨짐"], material="metal"),
                _thing(jar, box=[500, 100, 990, 1000], mixed=True),
                _thing(can, box=[0, 120, 500, 1000], confidence=0.6),
                _thing(_PAPER, box=["left", 3]),
                _thing("재활용폐기물/전지", confidence=0.3, box=[700, 0, 800, 90]),
            ]
        )
    )
    found = await hosted.classify(_photo(), _terms())
    told = [(one.kind.category.minor or one.kind.category.middle or one.kind.category.major) for one in found.objects]
    assert told == ["음료캔", "식품병", "종이", "미분류"]
    assert [one.box for one in found.objects[:3]] == [Box(0, 0.1, 0.5, 1), Box(0.5, 0.1, 0.99, 1), None]
    assert (found.objects[0].tags, found.objects[0].material, found.objects[1].mixed) == (("깨짐",), "metal", True)
    assert [other.kind.category.middle for other in found.others] == ["유리병", "종이", "전지"]


async def test_a_lone_thing_needs_no_box(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """Nothing is paid for one, and nothing is told twice."""
    found = await hosted.classify(_photo(), _terms())
    assert (found.objects, found.others) == ((), ())
    assert "다수_품목_혼합" not in found.tags
    assert '"box": []' in behaviour.OBEDIENT.say(openai.requests[0])


async def test_several_pieces_of_one_kind_are_no_mixture(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """They go into the same bag: nothing is to be sorted first."""
    openai.script(behaviour.changing(objects=[_thing(box=[0, 0, 400, 900]), _thing(box=[500, 0, 900, 900])]))
    found = await hosted.classify(_photo(), _terms())
    assert (len(found.objects), found.others) == (2, ())
    assert "다수_품목_혼합" not in found.tags


async def test_no_more_things_are_taken_than_were_asked_for(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """A model that doesn't stop costs no more than the limit of its answer."""
    row = [_thing(box=[left, 0, left + 20, 900]) for left in range(0, 900, 30)]
    openai.script(behaviour.changing(objects=row))
    assert len((await hosted.classify(_photo(), _terms())).objects) == MOST_OBJECTS


async def test_the_stand_in_sees_things_side_by_side(hosted: HostedClassifier) -> None:
    """By the photo's shape, so that a whole stack can show boxes without a key."""
    found = await hosted.classify(_photo(size=(300, 100)), _terms())
    assert [one.kind.category.middle for one in found.objects] == ["금속류", "무색페트병", "유리병"]
    boxes = [one.box for one in found.objects if one.box]
    assert [round(box.left, 2) for box in boxes] == [0, 0.33, 0.67]


@pytest.mark.parametrize(
    ("outcome", "kind", "reason"),
    [("not_waste", FailedPrecondition, Reason.NOT_WASTE), ("unreadable", InvalidArgument, Reason.PHOTO_UNCLEAR)],
)
async def test_a_photo_without_waste_ends_the_chain(
    hosted: HostedClassifier, openai: OpenAIStandIn, outcome: str, kind: type[EcoError], reason: Reason
) -> None:
    """No other classifier would see more; what was paid is told."""
    openai.script(behaviour.changing(outcome=outcome, objects=[]))
    with pytest.raises(kind) as caught:
        await FallbackChain([hosted, _Offline()]).classify(_photo(), _terms())
    assert caught.value.reason is reason
    assert int(caught.value.metadata["cost_micro_usd"]) > 0


async def test_the_chain_moves_on_and_says_so(openai: OpenAIStandIn) -> None:
    """Primary, cheaper, offline."""
    openai.script(behaviour.refusing(), behaviour.babbling())
    async with _hosted(openai, "gpt-4.1-mini", "gpt-4.1-nano") as classifiers:
        found = await FallbackChain([*classifiers, _Offline()]).classify(_photo(), _terms())
    assert found.provider == "offline"
    assert [(attempt.model, attempt.reason) for attempt in found.passed_over] == [
        ("gpt-4.1-mini", Reason.MODEL_REFUSED),
        ("gpt-4.1-nano", Reason.MODEL_OUTPUT_INVALID),
    ]


async def test_a_spent_share_answers_before_anything_is_spent(openai: OpenAIStandIn) -> None:
    """The operator's limit isn't got round by falling back."""
    async with _hosted(openai, model_user_daily_usd=0.000001) as [hosted]:
        with pytest.raises(ResourceExhausted) as caught:
            await FallbackChain([hosted, _Offline()]).classify(_photo(), _terms())
    assert (caught.value.reason, openai.count) == (Reason.MODEL_BUDGET_SPENT, 0)


async def test_a_call_whose_caller_hangs_up_is_on_the_bill(openai: OpenAIStandIn) -> None:
    """The provider has read the photo; whether it bills that is not for us to hope. The try is counted as well."""
    openai.usual, terms, counted = behaviour.slow(5), _terms(), Counted()
    async with _hosted(openai, instruments=counted.instruments) as [hosted]:
        looking = asyncio.create_task(hosted.classify(_photo(), terms))
        await eventually(lambda: _asked(openai))
        looking.cancel()
        await asyncio.wait((looking,))
    assert terms.meter.total
    assert terms.meter.total.cost_micro_usd > 0
    assert counted.of(OPERATION_DURATION) == {("chat", "openai", "gpt-4.1-mini", "abandoned"): 1}


async def _asked(openai: OpenAIStandIn) -> bool:
    return openai.count > 0


async def test_identical_photos_at_once_are_looked_at_once(hosted: HostedClassifier, openai: OpenAIStandIn) -> None:
    """Whoever comes first pays; others and other photos aren't held up."""
    openai.usual = behaviour.slow(0.2)
    flights, bills = SingleFlight(hosted), [_terms() for _ in range(5)]
    photos = [_photo("a")] * 4 + [_photo("b")]
    found = await asyncio.gather(*(flights.classify(photo, terms) for photo, terms in zip(photos, bills, strict=True)))
    assert all(one.kind.category == _CAN for one in found)
    assert openai.count == 2
    assert sum(terms.meter.total is not None for terms in bills) == 2


async def test_a_failing_provider_is_left_alone(openai: OpenAIStandIn) -> None:
    """After five failures in a row nobody waits for it."""
    openai.usual = replace(behaviour.failing(503))
    async with _hosted(openai, model_attempts=1) as [hosted]:
        for _ in range(7):
            with pytest.raises(EcoError) as caught:
                await hosted.classify(_photo(), _terms())
            assert caught.value.reason is Reason.MODEL_UNAVAILABLE
    assert openai.count == 5


async def test_calls_tokens_and_cost_are_counted_by_model_alone(openai: OpenAIStandIn) -> None:
    """What an operator's alarm on money stands on; a person's id would make a series each."""
    counted, terms = Counted(), _terms()
    openai.script(behaviour.failing(500))
    async with _hosted(openai, instruments=counted.instruments) as [classifier]:
        await classifier.classify(_photo(), terms)
    paid, call = terms.meter.total, ("chat", "openai", "gpt-4.1-mini")
    assert paid is not None
    assert counted.of(OPERATION_DURATION) == {(*call, "MODEL_UNAVAILABLE"): 1, (*call, ""): 1}
    assert counted.sums(TOKEN_USAGE) == {(*call, "input"): paid.input_tokens, (*call, "output"): paid.output_tokens}
    assert counted.of(COST) == {("gpt-4.1-mini",): pytest.approx(paid.cost_micro_usd / 1e6)}
