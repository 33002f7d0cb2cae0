"""When the offline classifier answers, and when it honestly doesn't."""

import pytest

from mesh.locale import Locale
from vision_svc.classifiers.classification import UNKNOWN, Classification
from vision_svc.classifiers.labels import GROUPS, KINDS
from vision_svc.classifiers.thresholds import Probabilities, judge


def _judge(nonwaste: float = 0.0, **labels: float) -> Classification:
    beliefs = Probabilities({label: labels.get(label, 0.0) for label in KINDS}, nonwaste)
    return judge(beliefs, provider="offline", model="m")


@pytest.mark.parametrize(
    ("label", "threshold"),
    [("pet_bottle", 0.65), ("food", 0.80), ("clothes", 0.80), ("ewaste", 0.55), ("trash", 0.60), ("glass", 0.50)],
)
def test_an_answer_needs_its_groups_threshold(label: str, threshold: float) -> None:
    """Some materials are what other things are taken for, so they need more."""
    assert _judge(**{label: threshold}).kind == KINDS[label]
    assert _judge(**{label: threshold - 0.01}).kind.category == UNKNOWN.category


def test_abstaining_keeps_three_candidates() -> None:
    """A person can choose among them; the confidence is the best one's."""
    found = _judge(glass=0.4, clothes=0.3, food=0.2, trash=0.1)
    assert found.kind == UNKNOWN
    assert [candidate.kind for candidate in found.candidates] == [KINDS["glass"], KINDS["clothes"], KINDS["food"]]
    assert found.confidence == found.candidates[0].confidence == 0.4


def test_what_is_no_waste_is_not_named() -> None:
    """A cat isn't cardboard, however sure the head is: it knows waste only."""
    assert _judge(nonwaste=0.59, cardboard=0.9).kind == KINDS["cardboard"]
    assert _judge(nonwaste=0.60, cardboard=0.9, glass=0.03, food=0.02).kind == UNKNOWN


def test_labels_of_one_material_count_together() -> None:
    """Bottle or tub, it is plastic; which of them it is stays open."""
    found = _judge(pet_bottle=0.4, plastic_container=0.3, glass=0.3)
    assert found.kind == GROUPS["plastic"]
    assert found.confidence == pytest.approx(0.7)


def test_a_label_that_stands_out_in_its_group_is_named() -> None:
    """Seventy parts in a hundred of the group's belief."""
    assert _judge(pet_bottle=0.71, plastic_container=0.29).kind == KINDS["pet_bottle"]
    assert _judge(pet_bottle=0.69, plastic_container=0.31).kind == GROUPS["plastic"]
    assert _judge(vinyl=0.8, pet_bottle=0.1).kind.category.middle == "비닐류"


def test_metal_always_warns_of_batteries() -> None:
    """Every fourth battery was taken for metal, and batteries among scrap burn."""
    assert _judge(metal=0.99).kind.warning is not None


@pytest.mark.parametrize(("locale", "asked"), [(Locale.KO, "건전지·배터리인가요?"), (Locale.EN, "Is it a battery?")])
def test_what_may_be_metal_is_asked_whether_it_is_a_battery(locale: Locale, asked: str) -> None:
    """An abstention, too: metal among its candidates is what a battery looks like."""
    found = _judge(glass=0.4, metal=0.3, food=0.2, trash=0.1)
    assert found.kind.category == UNKNOWN.category
    assert found.kind.warning is not None
    assert asked in found.kind.warning[locale]
    assert _judge(glass=0.4, clothes=0.3, food=0.2, metal=0.1).kind.warning is None


def test_nothing_is_said_about_the_situation() -> None:
    """The model can't see dirt or contents: no tags, and `mixed` stays unknown rather than false."""
    found = _judge(glass=0.9)
    assert found.tags == ()
    assert found.mixed is None
