"""`make chaos WHOLE=1`: breaks the whole mesh while users scan and have jobs done, then says whether the promises held.

python -m tests.chaos.mesh [MINUTES [SEED [ONLY]]]    ONLY: of all blows these, such as "disk full" or "postgres"
"""

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import msgspec
import psutil

from local.files import read_json
from local.stack.background import running
from local.stack.child_exec import die_with_parent
from local.stack.ports import HOST, Ports
from local.stack.stack import Stack, StackPart
from tests.chaos.mesh import chaos_run, isolation, webhook_receiver
from tests.chaos.mesh.judge.invariants import judge
from tests.chaos.mesh.judge.report import report
from tests.chaos.mesh.plan import Plan, plan

_MINUTES = 2.0
_DISK_MEGABYTES = 400
_END_SECONDS = 15.0
_DISKS = ("postgres", "seaweedfs")


def main() -> int:
    """Runs it; 1 if an invariant was broken."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else _MINUTES
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10_000)
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    if len(sys.argv) > 4:  # by the command below
        die_with_parent(signal.SIGTERM)
        return _inside(plan(seed, minutes * 60, only), Path(sys.argv[4]))
    folder = Path(tempfile.mkdtemp(prefix="eco2-chaos-"))
    words, extra = isolation.command(
        [sys.executable, "-m", "tests.chaos.mesh", str(minutes), str(seed), only, str(folder)]
    )
    with _ports_held(folder) if extra else ExitStack():
        status = subprocess.run(words, env={**os.environ, **extra}, check=False).returncode
    if status == 0 and not os.environ.get("KEEP"):
        shutil.rmtree(folder)
    else:
        print(f"\nHistories, journals and logs: {folder}")
    return status


def _ports_held(folder: Path) -> ExitStack:
    """Keeps the run's ports from stacks outside its network: SeaweedFS names sockets in /tmp after its ports."""
    Stack(folder, 0, StackPart.ALL, print)  # chooses them
    held = ExitStack()
    for port in read_json(folder / "ports.json", dict[str, int]).values():
        held.enter_context(socket.create_server((HOST, port)))
    return held


def _inside(what: Plan, folder: Path) -> int:
    print(f"Chaos in the whole mesh for {what.seconds:.0f} s: {what.clients} users, {len(what.blows)} blows,"
          f" seed {what.seed}", flush=True)  # fmt: skip
    if isolation.isolated():
        _prepare(folder)
    (folder / "journals").mkdir()
    model_port = Ports(folder / "model.json").take("model")
    os.environ |= chaos_run.environment(folder, model_port)
    with running(folder, command=("tests.chaos.mesh.clock", str(folder))) as variables:
        site = chaos_run.Site(folder, variables, model_port)
        seen = asyncio.run(chaos_run.run(what, site, lambda text: print(text, flush=True)))
        _end(int(variables["ECO2_SUPERVISOR"]))
    findings = judge(seen)
    (folder / "observations.json").write_bytes(msgspec.json.encode(seen, enc_hook=repr))
    print(f"\n{report(seen, findings)}", flush=True)
    return 0 if all(finding.holds for finding in findings) else 1


def _end(supervisor: int) -> None:
    """Ends the stack at once: nobody calls any more, and the services' drains would take ten seconds."""
    process = psutil.Process(supervisor)
    family = process.children(recursive=True)
    process.kill()  # all that it started ends with it
    psutil.wait_procs(family, timeout=_END_SECONDS)


def _prepare(folder: Path) -> None:
    """The network, disks that can fill up, and a certificate for the webhooks' receiver."""
    isolation.enter()
    for name in _DISKS:
        isolation.mount_disk(folder / name, _DISK_MEGABYTES)
    webhook_receiver.make_certificate(isolation.ADDRESS, folder)


if __name__ == "__main__":
    sys.exit(main())
