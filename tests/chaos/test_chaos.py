"""A short chaos run: six seconds of blows, of which each kind falls at least once. `make chaos` runs longer ones.

Judged is what must hold however busy the machine is: nothing lost, nothing paid twice, only the poison archived. How
soon scans go on is measured and printed, but judged by `make chaos` only: other tests beside it disturb that.
"""

import pytest

from local.stack.background import running
from local.stack.stack import StackPart
from tests.chaos import chaos_run
from tests.chaos.invariants import invariants, promptness
from tests.chaos.plan import Plan
from tests.chaos.report import report
from tests.support.stack_folders import stack_folder

pytestmark = [pytest.mark.stack, pytest.mark.slow]


async def test_no_scan_is_lost_or_paid_twice_whatever_dies() -> None:
    """Workers killed, frozen, stopped; PostgreSQL and Valkey killed; stages that fail, hang, and kill."""
    plan = Plan(seconds=6.0, pause=0.75, scans=90, poison=1, lease_seconds=2.0, seed=7)
    with stack_folder() as folder, running(folder, part=StackPart.STORES) as variables:
        observations = await chaos_run.run(plan, folder, variables, print)
    verdicts = invariants(observations)
    print(report(observations, [*verdicts, promptness(observations)]))
    assert all(verdict.holds for verdict in verdicts), report(observations, verdicts)
