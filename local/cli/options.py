"""Options that many commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mesh.locale import Locale

VAR = Path("var")


def _spoken() -> Locale:
    language = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return Locale.KO if language.startswith("ko") else Locale.EN


Var = Annotated[Path, typer.Option("--var", envvar="VAR", help="Folder of the stack: data, logs, secrets.")]
Language = Annotated[Locale, typer.Option("--locale", default_factory=_spoken, help="Language of the results.")]
