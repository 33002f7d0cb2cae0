"""How this machine reaches its packages, handed to the build for as long as it runs.

None of it gets into the image: the settings are a secret of the build, the folders they name are mounted.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from local.install import pip_settings, uv_settings


def settings() -> dict[str, str]:
    """Variables for pip and uv, from what pip is told here; empty where nothing was set."""
    listed = subprocess.run((sys.executable, "-m", "pip", "config", "list"), capture_output=True, text=True, check=True)
    told = pip_settings(listed.stdout)
    for_pip = {f"PIP_{name.replace('-', '_').upper()}": " ".join(value.split()) for name, value in told.items()}
    return {**for_pip, **uv_settings({}, told)}


def as_shell(variables: dict[str, str]) -> str:
    """Lines that a shell reads to have the variables."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def folders(variables: dict[str, str]) -> list[Path]:
    """The folders on this machine that the settings name."""
    words = [word for value in variables.values() for word in value.replace(",", " ").split()]
    # An index in a folder may keep its files beside that folder.
    indexes = {Path(urlsplit(word).path).parent for word in words if word.startswith("file:")}
    paths = [path for word in words if (path := Path(word)).is_absolute() and path.exists()]
    found = indexes | {path if path.is_dir() else path.parent for path in paths}
    return sorted(folder for folder in found if folder != Path(os.sep))
