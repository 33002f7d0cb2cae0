"""Options that many commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from local.cli import scanning
from local.cli.api.rest import Question
from mesh.locale import Locale

VAR = Path("var")


def _spoken() -> Locale:
    language = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return Locale.KO if language.startswith("ko") else Locale.EN


Var = Annotated[Path, typer.Option("--var", envvar="VAR", help="Folder of the stack: data, logs, secrets.")]
Language = Annotated[Locale, typer.Option("--locale", default_factory=_spoken, help="Language of the results.")]
Text = Annotated[str, typer.Option("--user-input", help="What you ask or say about it.")]
Latitude = Annotated[float | None, typer.Option("--lat", min=-90, max=90, help="Where you are: latitude.")]
Longitude = Annotated[float | None, typer.Option("--lon", min=-180, max=180, help="Where you are: longitude.")]
Building = Annotated[
    str, typer.Option("--building", envvar="ECO2_BUILDING", help="Your building's code; default: the one you joined.")
]
Region = Annotated[str, typer.Option("--region", help="Your region, such as 서울특별시/마포구.")]


def photo_by_name(path: Path | None) -> Path | None:
    """A path whose name is a photo's.

    Raises:
        typer.BadParameter: It isn't.
    """
    if path and path.suffix.lower() not in scanning.CONTENT_TYPES:
        raise typer.BadParameter(f"{path.name} isn't a JPEG, PNG, WebP or HEIC photo by its name")
    return path


def question(text: str, latitude: float | None, longitude: float | None, region: str, building: str = "") -> Question:
    """What goes with a photo.

    Raises:
        typer.BadParameter: Half a location.
    """
    if (latitude is None) != (longitude is None):
        raise typer.BadParameter("--lat and --lon go together")
    here = None if latitude is None or longitude is None else (latitude, longitude)
    return Question(text, here, region, building)
