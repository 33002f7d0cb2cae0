"""Classifies photos by a hosted model.

The provider enforces a strict schema for the output; it is checked again here, since a compatible server may not. The
model chooses among our keys, and users read only texts from our own tables.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Literal

import msgspec

from mesh.errors import EcoError
from mesh.models import errors as failures
from mesh.models.client import HostedModel
from mesh.models.usage import Terms
from vision_svc.classifiers.classification import (
    UNKNOWN,
    Candidate,
    Category,
    Classification,
    ClassificationOutcome,
    DetectedObject,
)
from vision_svc.classifiers.objects import box_of, distinct
from vision_svc.classifiers.prompts import MOST_CANDIDATES, MOST_OBJECTS, PhotoPrompt
from vision_svc.classifiers.taxonomy import Taxonomy
from vision_svc.photos.photos import Photo

_SURE = 0.5  # below, an answer is wrong as often as right; the user is asked instead
_SEVERAL = "다수_품목_혼합"

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_OUTCOMES = {"not_waste": ClassificationOutcome.NOT_WASTE, "unreadable": ClassificationOutcome.UNCLEAR}


class _Thing(msgspec.Struct, forbid_unknown_fields=True):
    category: str
    tags: list[str]
    material: str
    form: str
    mixed: bool
    confidence: _Share
    box: object = None  # a wrong one costs the box, not the answer that was paid for


class _Guess(msgspec.Struct, forbid_unknown_fields=True):
    category: str
    confidence: _Share


class _Look(msgspec.Struct, forbid_unknown_fields=True):
    outcome: Literal["classified", "unsure", "not_waste", "unreadable"]
    objects: list[_Thing]
    candidates: list[_Guess]


_decode = msgspec.json.Decoder(_Look).decode


class HostedClassifier:
    """One hosted model as a classifier of the chain.

    Args:
        model: The model.
        taxonomy: The categories it chooses from; None while they aren't known.
        detail: The provider's setting for the photo's resolution.
    """

    def __init__(self, model: HostedModel, taxonomy: Callable[[], Taxonomy | None], detail: str) -> None:
        self._model = model
        self._taxonomy = taxonomy
        self._detail = detail
        self._asked: PhotoPrompt | None = None

    @property
    def name(self) -> str:
        """The model's name as configured."""
        return self._model.name

    @property
    def version(self) -> str:
        """The model and its prompt."""
        question = self._question()
        return f"{self.name}/{question.version if question else '?'}"

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """As the chain's port says."""
        question = self._question()
        if question is None:
            raise failures.unavailable(self.name)
        completion = await self._model.complete(question.prompt(photo.jpeg), terms)
        try:
            look = _decode(completion.text)
        except msgspec.ValidationError as error:
            raise failures.invalid(self.name, "schema") from error
        except msgspec.DecodeError as error:
            raise failures.invalid(self.name, "json") from error
        _check(look, question, self.name)
        return _opinion(look, question, self.name, completion.model)

    def _question(self) -> PhotoPrompt | None:
        taxonomy = self._taxonomy()
        if taxonomy and (self._asked is None or self._asked.taxonomy is not taxonomy):
            self._asked = PhotoPrompt.about(taxonomy, self._detail)
        return self._asked


def _check(look: _Look, question: PhotoPrompt, model: str) -> None:
    """Checks the output against the closed lists.

    Raises:
        EcoError: MODEL_OUTPUT_INVALID.
    """
    kinds, tags = question.taxonomy.kinds, question.taxonomy.tags
    for thing in look.objects:
        lists = (thing.category in kinds, thing.material in question.materials, thing.form in question.forms)
        if not all(lists) or not tags.issuperset(thing.tags):
            raise failures.invalid(model, "enum")
    if any(guess.category not in kinds for guess in look.candidates):
        raise failures.invalid(model, "enum")
    if look.outcome == "classified" and not look.objects:
        raise _incomplete(model)
    if look.outcome == "unsure" and not (look.candidates or look.objects):
        raise _incomplete(model)


def _incomplete(model: str) -> EcoError:
    return failures.invalid(model, "schema")


def _opinion(look: _Look, question: PhotoPrompt, provider: str, model: str) -> Classification:
    kinds = question.taxonomy.kinds
    things = distinct([_object(thing, question) for thing in look.objects[:MOST_OBJECTS]])
    guesses = [Candidate(kinds[guess.category], guess.confidence) for guess in look.candidates]
    candidates = _best([*(Candidate(thing.kind, thing.confidence) for thing in things[:1]), *guesses])
    told = Classification(UNKNOWN, 0.0, (), provider=provider, model=model, prompt_version=question.version)
    if look.outcome in _OUTCOMES:
        return replace(told, outcome=_OUTCOMES[look.outcome])
    if look.outcome == "unsure" or things[0].confidence < _SURE:
        return replace(
            told, confidence=candidates[0].confidence, candidates=candidates, outcome=ClassificationOutcome.UNSURE
        )
    first, others = things[0], _others(things)
    several = [_SEVERAL] if others and _SEVERAL in question.taxonomy.tags else []
    return replace(
        told,
        kind=first.kind,
        confidence=first.confidence,
        candidates=candidates,
        tags=tuple(dict.fromkeys([*first.tags, *several])),
        mixed=first.mixed,
        material=first.material,
        form=first.form,
        others=others,
        objects=tuple(_doubted(thing) for thing in things) if len(things) > 1 else (),
    )


def _object(thing: _Thing, question: PhotoPrompt) -> DetectedObject:
    return DetectedObject(
        kind=question.taxonomy.kinds[thing.category],
        confidence=thing.confidence,
        box=box_of(thing.box),
        tags=tuple(dict.fromkeys(thing.tags)),
        material="" if thing.material == "other" else thing.material,
        form="" if thing.form == "other" else thing.form,
        mixed=thing.mixed,
    )


def _others(things: Sequence[DetectedObject]) -> tuple[Candidate, ...]:
    """The kinds of the things behind the first one, other than its own."""
    kinds: dict[Category, Candidate] = {}
    for thing in things:
        kinds.setdefault(thing.kind.category, Candidate(thing.kind, thing.confidence))
    return tuple(kinds.values())[1:]


def _doubted(thing: DetectedObject) -> DetectedObject:
    """The thing as users are told of it: a rule for what it perhaps isn't would be worse than none."""
    return thing if thing.confidence >= _SURE else replace(thing, kind=UNKNOWN, material="", form="")


def _best(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """The most likely ones, each kind once."""
    kinds: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda one: one.confidence, reverse=True):
        kinds.setdefault("/".join(_levels(candidate)), candidate)
    return tuple(kinds.values())[:MOST_CANDIDATES]


def _levels(candidate: Candidate) -> tuple[str, str, str]:
    category = candidate.kind.category
    return category.major, category.middle, category.minor
