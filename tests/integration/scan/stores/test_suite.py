"""Scan's own tests once more, on stores in the shapes of large systems: what holds on one of each holds there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.slow]

ROOT = Path(__file__).parents[4]
# Creating, uploading, cancelling, deleting, histories; stages, retries and results.
TESTS = ("lifecycle", "pipeline")


@pytest.mark.parametrize("shapes", ["pgbouncer,replica"])
def test_scans_own_tests_pass_on_other_stores(shapes: str) -> None:
    """In a run of their own, whose stack and services know of the pooler and the replica."""
    outside = ("PYTEST", "ECO2_", "COV_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    command = [sys.executable, "-m", "pytest", "--numprocesses=0", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    done = subprocess.run(
        [*command, *(f"tests/integration/scan/{name}" for name in TESTS)],
        cwd=ROOT, env={**inherited, "ECO2_TEST_STORES": shapes}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2_000:]
