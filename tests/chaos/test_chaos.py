"""A short chaos run, by its path only: not in the suite yet. `make chaos` runs longer ones."""

from pathlib import Path

import pytest

from local.stack import Part, running
from tests.chaos import trial
from tests.chaos.invariants import invariants
from tests.chaos.plan import Plan
from tests.chaos.report import report

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stacks")]


async def test_no_scan_is_lost_or_paid_twice_whatever_dies(tmp_path: Path) -> None:
    """Workers killed, frozen, stopped; PostgreSQL and Valkey killed; stages that fail, hang, and kill."""
    plan = Plan(seconds=8.0, pause=1.0, scans=120, poison=1, lease_seconds=3.0, seed=7)
    with running(tmp_path, part=Part.STORES) as variables:
        evidence = await trial.run(plan, tmp_path, variables, print)
    verdicts = invariants(evidence)
    assert all(verdict.holds for verdict in verdicts), report(evidence, verdicts)
