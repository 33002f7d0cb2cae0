"""What is wrong with a file of plans is told when it is loaded."""

from typing import Any

import msgspec
import pytest

from mesh.errors import NotFound
from rules_svc.loading.reloader import packaged
from rules_svc.loading.take_apart_entries import TakeApartFile

BOOK = packaged().book
CAP = {
    "part": {"ko": "뚜껑", "en": "Cap"},
    "how": {"ko": "빼요.", "en": "Take it off."},
    "category": "재활용폐기물/플라스틱류",
}
BODY = {"part": {"ko": "병", "en": "Bottle"}, "how": {"ko": "헹궈요.", "en": "Rinse it."}}
PLAN: dict[str, Any] = {"id": "jar", "of": ["재활용폐기물/유리병"], "parts": [CAP, BODY]}


def _load(*plans: dict[str, Any]) -> None:
    raw = {"source": {"ko": "지침", "en": "Guide"}, "as_of": "2026-05-18", "plans": plans}
    file = msgspec.convert(raw, TakeApartFile)
    file.parsed(BOOK.taxonomy, BOOK.tags)


def test_a_plan_is_read() -> None:
    """So that the others below fail for their own reason."""
    _load(PLAN)
    _load(PLAN, {**PLAN, "id": "jar.cracked", "tags": ["금_감"]})


@pytest.mark.parametrize(
    ("plans", "error"),
    [
        ([PLAN, PLAN], "share an id"),
        ([PLAN, {**PLAN, "id": "other"}], "share an id or a category"),
        ([{**PLAN, "parts": [CAP]}], "takes nothing apart"),
        ([{**PLAN, "parts": [BODY, BODY]}], "takes nothing apart"),
        ([{**PLAN, "tags": ["반짝임"]}], "반짝임"),
        ([{**PLAN, "of": ["재활용폐기물/석재"]}], "재활용폐기물/석재"),
        ([{**PLAN, "parts": [{**CAP, "category": "석재"}, BODY]}], "석재"),
        ([{**PLAN, "bag": "봉투"}], "bag"),
    ],
    ids=["twice", "same category", "one part", "all one way", "tag", "scope", "category", "field"],
)
def test_a_plan_that_can_t_be_is_refused(plans: list[dict[str, Any]], error: str) -> None:
    """And with it the whole edition, so that the one before stays."""
    with pytest.raises((ValueError, NotFound, msgspec.ValidationError)) as refused:
        _load(*plans)
    assert error in f"{refused.value} {getattr(refused.value, 'metadata', '')}"
