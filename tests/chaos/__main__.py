"""`make chaos`: breaks everything for a while, then says whether the promises held.

python -m tests.chaos [MINUTES [SEED]]
"""

import random
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec
import uvloop

from local.stack.background import running
from local.stack.stack import StackPart
from tests.chaos import chaos_run
from tests.chaos.invariants import judge
from tests.chaos.plan import Plan
from tests.chaos.report import report

_SCANS_PER_MINUTE = 600


def main() -> int:
    """Runs it; 1 if an invariant was violated."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10_000)
    plan = Plan(seconds=minutes * 60, pause=3.5, scans=round(minutes * _SCANS_PER_MINUTE), seed=seed)
    print(f"Chaos for {plan.seconds:.0f} s: {plan.scans} scans, {plan.workers} workers, seed {plan.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="eco2-chaos-"))
    with running(folder, part=StackPart.STORES) as variables:
        observations = uvloop.run(chaos_run.run(plan, folder, variables, lambda text: print(text, flush=True)))
    verdicts = judge(observations)
    print(f"\n{report(observations, verdicts)}")
    if all(verdict.holds for verdict in verdicts):
        shutil.rmtree(folder)
        return 0
    (folder / "observations.json").write_bytes(msgspec.json.encode(observations))
    print(f"\nEvidence, journals and logs: {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
