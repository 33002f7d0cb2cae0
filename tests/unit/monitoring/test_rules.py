"""The rules: each alert has what whoever is told needs, and a test of its own."""

import re
from typing import Any

import pytest
import yaml

from monitoring import rules
from monitoring.durations import TimeScale
from tests.support.documents import ROOT

FILE = ROOT / "helm" / "files" / "monitoring" / "rules.yaml"
RUNBOOKS = ROOT / "docs" / "runbooks"
TESTS = ROOT / "tests" / "unit" / "monitoring" / "alerts"
SECTIONS = ["For users", "See it", "Causes", "Escalate"]


def alerting(scale: TimeScale) -> list[dict[str, Any]]:
    """All alerting rules."""
    return [rule for group in yaml.safe_load(rules.text(scale))["groups"] for rule in group["rules"] if "alert" in rule]


ALERTS = alerting(TimeScale())


NAMES = sorted({rule["alert"] for rule in ALERTS})


def severities(name: str) -> set[str]:
    """What an alert may be."""
    return {rule["labels"]["severity"] for rule in ALERTS if rule["alert"] == name}


def test_the_chart_has_these_rules() -> None:
    """`make gen` writes them; a forgotten one would never fire."""
    assert FILE.read_text("utf-8") == rules.text(TimeScale())


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels'].get('burn', '')}")
def test_an_alert_says_what_is_the_matter(rule: dict[str, Any]) -> None:
    """Its summary fits a phone's screen, its page exists, and it is for now or for later."""
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"].endswith(".")
    assert len(rule["annotations"]["summary"]) <= 140
    assert "$" in rule["annotations"]["description"] or rule["annotations"]["description"].endswith(".")
    assert (ROOT / rule["annotations"]["runbook_url"]).name == f"{rule['alert']}.md"
    assert "namespace" in rule["expr"] or "slo=" in rule["expr"] or "job=" in rule["expr"]


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_says_what_to_do(name: str) -> None:
    """Four sections, short: whoever opens it was asleep a minute ago."""
    page = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == SECTIONS
    assert set(re.findall(r"\*\*(Page|Ticket|ticket)\*\*", page)) == {
        {"page": "Page", "ticket": "ticket" if severities(name) == {"page", "ticket"} else "Ticket"}[each]
        for each in severities(name)
    }
    assert len(page.splitlines()) <= 45


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_has_a_test_in_which_it_fires_and_clears(name: str) -> None:
    """The slow suite has promtool run them; here only that each says enough."""
    fired: set[str] = set()
    for case in yaml.safe_load((TESTS / f"{name}.yaml").read_text("utf-8"))["tests"]:
        told = [firing(step["exp_samples"]) for step in case["promql_expr_test"]]
        mine = [{key: count for key, count in at.items() if key[0] == name} for at in told]
        assert told[0] == {}, "it begins well, and nobody is told anything"
        assert sum(mine[-1].values()) < sum(mine[1].values()), (
            "it fires at the fault, and less or not at all afterwards"
        )
        fired |= {severity for _, severity in mine[1]}
    assert fired == severities(name)


def firing(samples: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """How many are to fire, by alert and severity."""
    labels = [dict(re.findall(r'(\w+)="(\w+)"', sample["labels"])) for sample in samples]
    return {
        (each["alertname"], each["severity"]): sample["value"] for each, sample in zip(labels, samples, strict=True)
    }


def test_there_is_nothing_of_alerts_that_are_gone() -> None:
    """A page that nothing leads to misleads whoever finds it."""
    assert sorted(page.stem for page in RUNBOOKS.glob("*.md") if page.stem != "README") == NAMES
    assert sorted(test.stem for test in TESTS.glob("*.yaml")) == NAMES
    listed = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (.+) \|$", (RUNBOOKS / "README.md").read_text("utf-8"), re.M)
    assert {(name, told) for name, _, told in listed} == {(name, ", ".join(sorted(severities(name)))) for name in NAMES}
    assert all(name == page for name, page, _ in listed)


def test_a_shortened_file_keeps_no_span_of_production() -> None:
    """A minute is a second at 60: one that was forgotten would never be over in a test."""
    shortened = rules.text(TimeScale(60))
    assert set(re.findall(r"\[(\w+)\]", shortened)) == {
        "5s",
        "10s",
        "15s",
        "30s",
        "1m",
        "2m",
        "6m",
        "24m",
        "72m",
        "672m",
    }
    assert {rule["for"] for rule in alerting(TimeScale(60)) if "for" in rule} <= {"1s", "2s", "5s", "10s", "30s", "1m"}
