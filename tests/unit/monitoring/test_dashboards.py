"""The dashboards: Grafana's own types read them, and each panel says what it shows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel, RowPanel

from monitoring import dashboards
from tests.support.documents import ROOT
from tests.unit.monitoring.test_rules import NAMES

FOLDER = ROOT / "helm" / "files" / "monitoring" / "dashboards"
TEXTS = dashboards.texts()


def panels(name: str) -> Iterator[dict[str, Any]]:
    """A dashboard's panels, rows apart."""
    return (panel for panel in json.loads(TEXTS[name])["panels"] if panel["type"] != "row")


def test_the_chart_has_these_dashboards() -> None:
    """`make gen` writes them."""
    assert {file.stem: file.read_text("utf-8") for file in FOLDER.glob("*.json")} == dict(TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_grafanas_own_types_read_it(name: str) -> None:
    """What they don't know they drop: read and written again it must be the same."""
    register_default_plugins()
    given = json.loads(TEXTS[name])
    read = Dashboard.from_json(given)
    assert all(isinstance(panel, Panel | RowPanel) for panel in read.panels or ())
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == given


@pytest.mark.parametrize("name", TEXTS)
def test_each_panel_has_its_place_unit_and_description(name: str) -> None:
    """One without a unit is read wrongly, and two in one place hide each other."""
    taken: set[tuple[int, int]] = set()
    for panel in panels(name):
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["description"].endswith((".", "now"))
        at, size = panel["gridPos"], panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + size["w"]) for y in range(at["y"], at["y"] + size["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in json.loads(TEXTS[name])["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", TEXTS)
def test_each_query_chooses_by_variables_that_there_are(name: str) -> None:
    """One that doesn't choose would show other releases' figures among these."""
    known = {each["name"] for each in json.loads(TEXTS[name])["templating"]["list"]} | {"__rate_interval"}
    for panel in panels(name):
        for target in panel["targets"]:
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= known
            assert "$namespace" in target["expr"] or "ALERTS{" in target["expr"]


def test_every_alert_has_a_panel_that_leads_to_its_runbook() -> None:
    """Whoever is called looks at the dashboard first."""
    linked = {link["url"] for name in TEXTS for panel in panels(name) for link in panel.get("links", ())}
    assert linked == {f"${{runbooks}}{name}.md" for name in NAMES}
