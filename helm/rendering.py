"""Renders the chart by Helm itself."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from helm.tool import ROOT, helm

Document: TypeAlias = dict[str, Any]

CHART = ROOT / "helm"
# What the chart's templates and the commands' output are read by: ten times as quick as PyYAML's own parser.
LOADER = yaml.CSafeLoader


class Refused(Exception):
    """Helm doesn't take the values; the text says why."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """The chart with some values.

    Attributes:
        name: What these values are, for people.
        documents: The objects, in Helm's order.
    """

    name: str
    documents: Sequence[Document]


def render(name: str, values: Sequence[Path], *, release: str = "eco2", arguments: Sequence[str] = ()) -> Rendering:
    """Renders it.

    Args:
        name: What these values are, for people.
        values: Files of them; the later ones win.
        release: What the release is called.
        arguments: More of `helm template`.

    Raises:
        Refused: The schema or a template refuses them.
    """
    text = manifests(values, release=release, arguments=arguments)
    return Rendering(name, [each for each in yaml.load_all(text, LOADER) if each])


def manifests(values: Sequence[Path], *, release: str = "eco2", arguments: Sequence[str] = ()) -> str:
    """The same as text, as Helm sends it.

    Raises:
        Refused: The schema or a template refuses them.
    """
    files = [argument for file in values for argument in ("--values", str(file))]
    done = _run("template", release, str(CHART), *files, *arguments)
    if done.returncode:
        raise Refused(_said(done.stderr))
    return done.stdout


def package(chart: Path, folder: Path) -> Path:
    """The chart as one file, which Helm names.

    Raises:
        Refused: It isn't a chart.
    """
    done = _run("package", str(chart), "--destination", str(folder))
    if done.returncode:
        raise Refused(_said(done.stderr))
    (file,) = folder.glob("*.tgz")
    return file


def lint(values: Path) -> None:
    """Lets Helm's own linter look at the chart.

    Raises:
        Refused: It found something, be it a warning.
    """
    done = _run("lint", "--strict", "--quiet", str(CHART), "--values", str(values))
    if done.returncode:
        raise Refused(_said(done.stdout + done.stderr))


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([helm(), *arguments], capture_output=True, text=True)


def _said(text: str) -> str:
    """Without the notes on symbolic links, one for each file of the chart that is kept elsewhere."""
    return "\n".join(line for line in text.splitlines() if "found symbolic link" not in line).strip()
