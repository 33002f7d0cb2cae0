"""The rules by Prometheus' own checker: their syntax, and each alert's unit test."""

import subprocess
from pathlib import Path

import pytest

from local import debian
from tests.support.documents import ROOT

RULES = ROOT / "helm" / "files" / "monitoring" / "rules.yaml"
TESTS = sorted((ROOT / "tests" / "unit" / "monitoring" / "alerts").glob("*.yaml"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Debian's."""
    return debian.unpacked("prometheus") / "usr" / "bin" / "promtool"


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules(promtool: Path) -> None:
    """Expressions, durations, and the annotations' placeholders."""
    run(promtool, "check", "rules", RULES)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.stem)
def test_an_alert_fires_and_clears(promtool: Path, test: Path) -> None:
    """At its own fault, at nothing less, and only with those that it brings along."""
    run(promtool, "test", "rules", test)
