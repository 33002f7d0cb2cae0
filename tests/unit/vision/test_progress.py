"""Which phases are told: those that last."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest

from mesh.errors import Unavailable
from mesh.reasons import Reason
from tests.unit.vision.classify_parts import ClassifyParts, terms
from vision_svc.classify import ClassifiedPhoto, Phase
from vision_svc.photos.locations import Stored
from vision_svc.progress import lasting

Encode = Callable[..., bytes]

NEVER = 300.0
SOON = 0.001


async def phases(going_on: asyncio.Event, *quick: Phase, last: Phase) -> AsyncGenerator[Phase | ClassifiedPhoto, None]:
    """Phases that are over at once, then one that lasts until it is told, and fails."""
    for phase in quick:
        yield phase
    yield last
    await going_on.wait()
    raise Unavailable(Reason.MODEL_UNAVAILABLE, model="fake")


async def failing(
    work: AsyncGenerator[Phase | ClassifiedPhoto, None], then: Callable[[Phase], object]
) -> list[Phase | ClassifiedPhoto]:
    """What is told of work that fails; at each phase something is done."""
    told = list[Phase | ClassifiedPhoto]()

    async def read() -> None:
        async for event in lasting(work, SOON):
            assert isinstance(event, Phase)
            told.append(event)
            then(event)

    with pytest.raises(Unavailable):
        await read()
    return told


async def test_a_phase_that_is_over_at_once_is_not_told(phone: bytes) -> None:
    """Three messages fewer for a small photo that is known, or whose model answers at once."""
    parts = ClassifyParts({"a": phone})
    events = [event async for event in lasting(parts.classifier.classify(Stored("a"), terms()), NEVER)]
    assert [type(event) for event in events] == [ClassifiedPhoto]


async def test_a_phase_that_goes_on_is_told_while_it_does() -> None:
    """The progress bar stands where the work is; and what the work fails with comes after it."""
    going_on = asyncio.Event()
    work = phases(going_on, Phase.FETCH, Phase.PREPARE, last=Phase.CLASSIFY)
    assert await failing(work, lambda _: going_on.set()) == [Phase.CLASSIFY]


async def test_every_phase_that_lasts_is_told_in_its_order() -> None:
    """None is passed over because a later one lasts, too."""
    steps = {phase: asyncio.Event() for phase in Phase}

    async def slow() -> AsyncGenerator[Phase | ClassifiedPhoto, None]:
        for phase, goes_on in steps.items():
            yield phase
            await goes_on.wait()
        raise Unavailable(Reason.MODEL_UNAVAILABLE, model="fake")

    assert await failing(slow(), lambda phase: steps[phase].set()) == list(Phase)


async def test_who_leaves_ends_the_work(phone: bytes) -> None:
    """A scan was cancelled: nothing of it may go on being paid for, and its place is free."""
    parts = ClassifyParts({"a": phone, "b": phone + b"2"})
    parts.model.go.clear()
    async with aclosing(lasting(parts.classifier.classify(Stored("a"), terms()), SOON)) as events:
        async for event in events:
            if event is Phase.CLASSIFY:
                break
    parts.model.go.set()
    assert isinstance((await parts.events(Stored("b")))[-1], ClassifiedPhoto)
    assert parts.model.calls == 1
    content, _ = parts.storage.contents["a"]
    assert b"Phone" not in content  # what was begun to be replaced was
