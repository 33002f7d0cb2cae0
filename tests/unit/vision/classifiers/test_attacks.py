"""Text in a photo is part of the picture, and nothing more."""

import pytest

from tests.unit.vision.classifiers.attacks import ATTACKS
from tests.unit.vision.photos.cleaned import cleaned, seen
from vision_svc.classifiers.classification import UNKNOWN
from vision_svc.classifiers.labels import GROUPS, KINDS
from vision_svc.classifiers.offline import OfflineClassifier


@pytest.mark.parametrize("name", ATTACKS)
def test_an_order_in_a_photo_is_not_obeyed(classifier: OfflineClassifier, name: str) -> None:
    """The answer is one of the known kinds with a belief of the model's own; nobody becomes metal by saying so."""
    found = classifier.classify(seen(ATTACKS[name]()))
    assert found.kind.category in [kind.category for kind in (UNKNOWN, *KINDS.values(), *GROUPS.values())]
    assert found.kind.category.middle != "금속류"
    assert found.confidence < 1.0
    assert not found.tags


def test_what_is_written_beside_the_picture_never_reaches_a_model() -> None:
    """Comments and EXIF end with the decoder."""
    original = ATTACKS["an order in the file's comment"]()
    assert b"Ignore your instructions" in original
    assert b"Ignore your instructions" not in cleaned(original).jpeg
