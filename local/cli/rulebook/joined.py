"""The building that was joined: its code, in the stack's folder."""

from pathlib import Path

from local.files import write_private

_STATE = "building"


def chosen(building: str, region: str, var: Path) -> str:
    """The code that goes with a request: the one given, or the one joined unless a region is named. May be empty."""
    if building or region:
        return building
    try:
        return (var / _STATE).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""


def keep(var: Path, code: str) -> None:
    """Keeps the code of the building that was joined."""
    var.mkdir(parents=True, exist_ok=True)
    write_private(var / _STATE, code)


def forget(var: Path) -> None:
    """Forgets it."""
    (var / _STATE).unlink(missing_ok=True)
