"""Protos to the domain and back."""

import pytest

from eco2.vision.v1.vision_service_pb2 import ClassifyProgress, ClassifyRequest
from mesh.locale import Locale
from vision_svc import wire
from vision_svc.classifiers.classification import UNKNOWN, Box, Candidate, Classification, DetectedObject, WasteKind
from vision_svc.classifiers.labels import KINDS
from vision_svc.classify import ClassifiedPhoto, Phase
from vision_svc.photos.locations import Outside, Stored
from vision_svc.photos.photos import Identity

_PHOTO = Identity("ab" * 32, 300, 200)


def _finding(kind: WasteKind) -> ClassifiedPhoto:
    candidates = (Candidate(KINDS["metal"], 0.75), Candidate(KINDS["food"], 0.25))
    return ClassifiedPhoto(Classification(kind, 0.75, candidates, "offline", "m-1"), _PHOTO)


@pytest.mark.parametrize(
    ("phase", "number"),
    [
        (Phase.FETCH, ClassifyProgress.PHASE_FETCH),
        (Phase.PREPARE, ClassifyProgress.PHASE_PREPARE),
        (Phase.CLASSIFY, ClassifyProgress.PHASE_CLASSIFY),
    ],
)
def test_phases_keep_their_names(phase: Phase, number: int) -> None:
    """Every phase has its number."""
    assert wire.from_event(phase, Locale.KO).progress.phase == number


@pytest.mark.parametrize(("locale", "name"), [(Locale.KO, "금속"), (Locale.EN, "Metal")])
def test_names_and_warnings_speak_the_requests_language(locale: Locale, name: str) -> None:
    """Categories are keys and stay Korean."""
    found = wire.from_event(_finding(KINDS["metal"]), locale).result.classification
    assert found.display_name == found.candidates[0].display_name == name
    assert found.category.middle == "금속류"
    assert found.warning == (KINDS["metal"].warning or {})[locale]


def test_a_finding_is_whole() -> None:
    """Every field of the contract the offline model can fill."""
    result = wire.from_event(_finding(KINDS["metal"]), Locale.EN).result
    assert (result.image_digest, result.width, result.height) == (_PHOTO.digest, 300, 200)
    found = result.classification
    assert (found.category.major, found.material, found.form) == ("재활용폐기물", "metal", "")
    assert (found.confidence, found.provider, found.model) == (0.75, "offline", "m-1")
    assert [candidate.confidence for candidate in found.candidates] == [0.75, 0.25]


def test_what_is_not_known_is_absent() -> None:
    """`mixed` absent isn't `mixed` false."""
    found = wire.from_event(_finding(UNKNOWN), Locale.KO).result.classification
    assert found.category.major == "미분류"
    assert not found.HasField("mixed")
    assert not found.tags
    assert not found.warning


def test_a_request_names_a_key_or_an_address() -> None:
    """The two ways a photo can be given."""
    base = "https://cdn.example.com"
    assert wire.to_location(ClassifyRequest(object_key="scans/1"), base) == Stored("scans/1")
    assert wire.to_location(ClassifyRequest(image_url="https://example.com/1"), base) == Outside(
        "https://example.com/1"
    )


def test_things_are_numbered_and_placed() -> None:
    """In the classifier's order; one whose place isn't known has no box, which isn't the same as the corner."""
    things = (
        DetectedObject(KINDS["metal"], 0.9, Box(0, 0.25, 0.5, 1), ("깨짐",), form="can", mixed=False),
        DetectedObject(UNKNOWN, 0.3),
    )
    found = Classification(KINDS["metal"], 0.9, (), "m", "m-1", objects=things)
    first, second = wire.from_event(ClassifiedPhoto(found, _PHOTO), Locale.EN).result.classification.objects
    assert (first.object_id, first.category.middle, first.display_name) == ("1", "금속류", "Metal")
    assert (first.box.left, first.box.top, first.box.right, first.box.bottom) == (0, 0.25, 0.5, 1)
    assert (list(first.tags), first.material, first.form, first.HasField("mixed")) == (["깨짐"], "metal", "can", True)
    assert (second.object_id, second.category.major, second.HasField("box")) == ("2", "미분류", False)
