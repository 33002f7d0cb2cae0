"""What the rules and the dashboards ask Prometheus for, taken apart by a real parser of PromQL."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as promql
import yaml

from monitoring import dashboards, rules
from monitoring.durations import TimeScale

GROUPS = yaml.safe_load(rules.text(TimeScale()))["groups"]


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression.

    Attributes:
        of: The alert, the recorded series, or dashboard and panel.
        text: PromQL. In a panel's everything is chosen by each of its variables, and its interval is a minute.
    """

    of: str
    text: str

    def __str__(self) -> str:
        return self.of


@dataclass(frozen=True, slots=True)
class Chosen:
    """A series, and how it is chosen by a label: operator and value."""

    series: str
    label: str
    operator: str
    value: str


def expressions() -> list[Expression]:
    """Those of all rules, then those of all panels."""
    of_rules = [
        Expression(rule.get("alert") or rule["record"], rule["expr"]) for group in GROUPS for rule in group["rules"]
    ]
    of_panels = [
        Expression(f"{name}: {panel['title']}", _filled(target["expr"]))
        for name, text in dashboards.texts().items()
        for panel in json.loads(text)["panels"]
        for target in panel.get("targets", ())
    ]
    return of_rules + of_panels


def series(text: str) -> set[str]:
    """The names of the series that an expression reads."""
    return {node.name or "" for node in _nodes(text) if isinstance(node, promql.VectorSelector)}


def matchers(text: str) -> Iterator[Chosen]:
    """How it chooses among them."""
    for node in _nodes(text):
        if isinstance(node, promql.VectorSelector):
            for each in node.matchers.matchers:
                yield Chosen(node.name or "", each.name, str(each.op), each.value)


def groupings(text: str) -> Iterator[tuple[set[str], set[str]]]:
    """For each aggregation the labels that are kept, and the series that have to have them."""
    for node in _nodes(text):
        if isinstance(node, promql.AggregateExpr) and node.modifier:
            yield set(node.modifier.labels), series(str(node.expr))


def summed(text: str) -> set[str]:
    """The series that are added up as they are."""
    sums = [node.expr for node in _nodes(text) if isinstance(node, promql.AggregateExpr) and str(node.op) == "sum"]
    return {each.name or "" for each in sums if isinstance(each, promql.VectorSelector)}


def _nodes(text: str) -> list[promql.Expr]:
    found: list[promql.Expr] = []
    promql.walk(promql.parse(text), found.append)
    return found


def _filled(text: str) -> str:
    return re.sub(r'"\$\w+"', '".*"', text.replace("$__rate_interval", "1m"))
