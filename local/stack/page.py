"""The users' page as the edge serves it: the files of `web/app`, from memory, on the API's own origin."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local import npm

WEB = Path(__file__).resolve().parents[2] / "web"
FOLDER = WEB / "app"

_PAGE = "index.html"
_OSM = "© OpenStreetMap contributors"
# A route of edge.yaml, whose anchors it refers to, at its place there.
_ROUTE = (
    "\n{indent}- {{match: {{path: /app/{name}, headers: *read_only}}, direct_response: {{status: 200, body: {body}}},"
    " response_headers_to_add: *page, typed_per_filter_config: *untranscoded}}"
)
_INDENT = " " * 24


@dataclass(frozen=True, slots=True)
class Map:
    """The map of places: Leaflet, as `make setup` installs it, and somebody's tiles.

    Attributes:
        leaflet: The folder of leaflet.js and leaflet.css.
        tiles: Address of a tile, with {z}, {x} and {y}.
        attribution: Whose they are.
    """

    leaflet: Path
    tiles: str
    attribution: str

    @classmethod
    def wanted(cls, environ: Mapping[str, str]) -> "Map | None":
        """The one that ECO2_MAP_TILES asks for; None without it, and where Leaflet isn't installed."""
        leaflet = npm.found(WEB / "map") / "node_modules" / "leaflet" / "dist"
        tiles = environ.get("ECO2_MAP_TILES", "")
        if not tiles or not (leaflet / "leaflet.js").is_file():
            return None
        return cls(leaflet, tiles, environ.get("ECO2_MAP_ATTRIBUTION") or _OSM)

    def routes(self) -> str:
        """Its program, its style, and where its tiles are."""
        files = (_route(name, _file(self.leaflet / name)) for name in ("leaflet.js", "leaflet.css"))
        return "".join(files) + _settings({"tiles": self.tiles, "attribution": self.attribution})


def placeholders(photos: str, uploads: str, places: Map | None = None) -> Mapping[str, str]:
    """What the template's placeholders for the page stand for.

    Args:
        photos: Address below which photos are shown.
        uploads: Address below which photos are uploaded.
        places: The map of places, if there is one.
    """
    files = sorted(FOLDER.iterdir())
    own = "".join(_route(file.name, _file(file)) for file in files if file.name != _PAGE)
    routes = own + (places.routes() if places else _settings({}))
    content = b"".join(file.read_bytes() for file in files) + routes.encode()
    return {
        "APP_PATH": str(FOLDER),
        "APP_VERSION": hashlib.sha256(content).hexdigest()[:12],
        "APP_ROUTES": routes,
        "PHOTO_ORIGINS": _origins(photos, *([places.tiles.replace("{s}", "*")] if places else [])),
        "UPLOAD_ORIGINS": _origins(uploads),
    }


def _settings(given: Mapping[str, str]) -> str:
    """What the page asks for before it draws a map; without tiles it draws none."""
    return _route("map.json", {"inline_string": json.dumps(given)})


def _file(path: Path) -> Mapping[str, str]:
    return {"filename": str(path)}


def _route(name: str, body: Mapping[str, str]) -> str:
    return _ROUTE.format(indent=_INDENT, name=name, body=json.dumps(body, ensure_ascii=False))


def _origins(*addresses: str) -> str:
    """As a Content-Security-Policy lists them."""
    return " ".join(sorted({f"{part.scheme}://{part.netloc}" for part in map(urlsplit, addresses)}))
