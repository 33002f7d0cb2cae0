"""The rule book at a terminal."""

import pytest

from eco2.rules.v1.disposal_pb2 import DisposalRule
from local.cli.rulebook.rules import lines
from mesh.locale import Locale

RULE = DisposalRule(
    steps=["비워요.", "헹궈요."],
    hazards=["조심하세요."],
    why="깨끗해야 해요.",
    container="수거함",
    when="목요일",
    exclusions=[{"item": "컵", "instead": "종량제봉투"}],
    source="지침",
)


@pytest.mark.parametrize(("locale", "when"), [(Locale.KO, "내놓는 때: 목요일"), (Locale.EN, "When: 목요일")])
def test_a_rule_is_read_from_the_first_step_to_its_source(locale: Locale, when: str) -> None:
    """What isn't known, here the place and the fee, has no line."""
    printed = list(lines(RULE, locale))
    assert printed[:3] == ["1. 비워요.", "2. 헹궈요.", "⚠ 조심하세요."]
    assert when in printed
    assert len(printed) == 8
    assert printed[-1].endswith("지침")
