"""What the edge is told of the users' page: a route for each file, and the map where there is one."""

import re
from pathlib import Path

import pytest

from local import npm
from local.stack.page import FOLDER, WEB, Map, placeholders

TILES = "https://{s}.tile.test/{z}/{x}/{y}.png"
PHOTOS, UPLOADS = "https://photos.test/clean", "https://uploads.test:9000"


def test_each_file_has_a_route_and_a_change_of_any_changes_the_tag() -> None:
    """Without a map the page is told so."""
    told, with_map = placeholders(PHOTOS, UPLOADS), placeholders(PHOTOS, UPLOADS, Map(Path("/leaflet"), TILES, "them"))

    for file in FOLDER.iterdir():
        assert (f"path: /app/{file.name}," in told["APP_ROUTES"]) is (file.name != "index.html")
    assert '{"inline_string": "{}"}' in told["APP_ROUTES"]
    assert (told["PHOTO_ORIGINS"], told["UPLOAD_ORIGINS"]) == ("https://photos.test", "https://uploads.test:9000")
    assert told["APP_VERSION"] != with_map["APP_VERSION"]


def test_a_map_brings_its_program_and_may_show_its_tiles() -> None:
    """From wherever they are."""
    told = placeholders(PHOTOS, UPLOADS, Map(Path("/leaflet"), TILES, "them"))

    assert '"/leaflet/leaflet.js"' in told["APP_ROUTES"]
    assert "tile.test/{z}" in told["APP_ROUTES"]
    assert told["PHOTO_ORIGINS"] == "https://*.tile.test https://photos.test"


def test_there_is_no_map_without_tiles_or_leaflet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make up` needs no npm."""
    monkeypatch.setattr(npm, "_TOOLS", tmp_path)
    wanted = {"ECO2_MAP_TILES": TILES}
    assert (Map.wanted({}), Map.wanted(wanted)) == (None, None)

    leaflet = npm.found(WEB / "map") / "node_modules" / "leaflet" / "dist"
    leaflet.mkdir(parents=True)
    (leaflet / "leaflet.js").touch()
    assert Map.wanted({}) is None
    assert Map.wanted(wanted) == Map(leaflet, TILES, "© OpenStreetMap contributors")


def test_no_page_parses_html() -> None:
    """What servers and other people's data say stays text; Leaflet, too, is given elements."""
    parses = re.compile(
        r"\b(innerHTML|outerHTML|insertAdjacentHTML|srcdoc|DOMParser|createContextualFragment|document\.write)\b"
        r"|\.(bindTooltip|bindPopup|setContent)\((?!h\()"
    )
    programs = [path for folder in ("app", "operators") for path in sorted((WEB / folder).glob("*.js"))]
    found = {path.name: parses.findall(path.read_text(encoding="utf-8")) for path in programs}
    assert len(found) > 20
    assert {name: uses for name, uses in found.items() if uses} == {}
