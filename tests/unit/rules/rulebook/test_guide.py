"""The guide's own words, case by case: `guide.yaml`."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.locale import Locale
from rules_svc.rulebook.rulebook import Rulebook

GROUPS: list[dict[str, Any]] = yaml.load(Path(__file__).with_name("guide.yaml").read_text("utf-8"), yaml.CSafeLoader)
CASES = [case for group in GROUPS for case in group["cases"]]


def test_every_case_names_its_source() -> None:
    """At least two hundred, and none from hearsay."""
    assert len(CASES) >= 200
    assert all(group["source"] for group in GROUPS)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['of']}+{case.get('tags', '')}@{case.get('region', '')}:{case['says']}"
)
def test_the_guide_says(book: Rulebook, case: dict[str, str]) -> None:
    """Everything a person reads of the rule to follow has the one and hasn't the other."""
    where = book.regions.find(case.get("region", ""))
    matched = book.match_in(tuple(case["of"].split("/")), case.get("tags", "").split(), where)
    rule = matched.rules[0].localized(Locale.KO)
    read = "\n".join([*rule.steps, rule.why, rule.container, *rule.hazards, rule.fee, rule.when, rule.place])
    assert case["says"] in read
    assert "never" not in case or case["never"] not in read
