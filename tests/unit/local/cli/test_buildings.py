"""`eco2 building`: the code that was joined, and a building as text."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from eco2.rules.v1.building_pb2 import Building
from local.cli import buildings
from local.cli import main as cli
from local.cli.api.grpc import BuildingClient
from mesh.locale import Locale

HOUSE = Building(
    code="K7PD2MTX",
    name="한빛아파트",
    region_name="Mapo-gu, Seoul",
    place={"ko": "지하 1층"},
    collections=[{"kind": 4, "days": ["TUESDAY"], "open_time": "18:00", "close_time": "06:00"}],
    bins=[{"kind": 2, "place": {"ko": "관리실", "en": "office"}}],
)


@pytest.fixture(autouse=True)
def _edge(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edge that knows one building."""
    for name, value in (("REST_URL", "http://127.0.0.1:1"), ("GRPC_TARGET", "127.0.0.1:1"), ("TOKEN", "t")):
        monkeypatch.setenv(f"ECO2_{name}", value)
    monkeypatch.setattr(BuildingClient, "get", lambda *_: HOUSE)


def run(*command: str, var: Path) -> str:
    result = CliRunner().invoke(cli.app, ["building", *command, "--var", str(var)])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_code_that_was_joined_goes_with_what_is_asked_until_it_is_left(tmp_path: Path) -> None:
    """Unless another one is given, or a region."""
    assert buildings.chosen("", "", tmp_path) == ""
    shown = run("join", "k7pd-2mtx", "--locale", "en", var=tmp_path)
    assert "한빛아파트 · Mapo-gu, Seoul · K7PD-2MTX" in shown
    assert buildings.chosen("", "", tmp_path) == "K7PD2MTX"
    assert buildings.chosen("00000000", "", tmp_path) == "00000000"
    assert buildings.chosen("", "종로구", tmp_path) == ""
    run("leave", var=tmp_path)
    run("leave", var=tmp_path)
    assert buildings.chosen("", "", tmp_path) == ""


@pytest.mark.parametrize(("locale", "office"), [(Locale.KO, "관리실"), (Locale.EN, "office")])
def test_a_building_is_shown_in_the_reader_s_language(locale: Locale, office: str, tmp_path: Path) -> None:
    """What is missing in it comes in the other one."""
    shown = run("show", "K7PD2MTX", "--locale", locale, var=tmp_path)
    assert shown.splitlines()[1:] == ["지하 1층", "recyclable · Tuesday · 18:00-06:00", f"battery · {office}"]


def test_a_file_that_is_no_building_is_named(tmp_path: Path) -> None:
    """With what is wrong with it."""
    file = tmp_path / "house.json"
    file.write_text('{"nmae": "x"}')
    result = CliRunner().invoke(cli.app, ["building", "create", str(file), "--var", str(tmp_path)])
    assert result.exit_code != 0
    assert "house.json isn't a building" in str(result.exception)
