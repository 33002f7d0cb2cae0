"""The clocks of the mesh's processes, which can be made wrong one by one: libfaketime reads them from files.

SeaweedFS is a static program, and Envoy doesn't start under libfaketime: these two, the clients and the model keep the
true time, and are the other side of each wrong clock. Monotonic time is left alone, as a real step leaves it.

python -m tests.chaos.mesh.clock FOLDER    as `eco2 up --tied --var FOLDER`, with such clocks
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from local.files import write_private
from local.stack import stack as embedded
from local.stack import up as foreground
from local.stack.stack import Stack, StackPart
from local.stack.supervisor import Child, Program
from mesh.settings import ServiceSettings
from tests.chaos.mesh.plan import CLOCKED, SERVICES


class ClockedStack(Stack):
    """The embedded stack, whose processes read the time from files."""

    def _child(self, program: Program) -> Child:
        if program.name in SERVICES:
            # As long as the edge takes to notice, as in production: the embedded stack stops sooner for newcomers.
            drain = str(ServiceSettings.model_fields["drain_seconds"].default)
            program = replace(program, environment={**program.environment, "ECO2_DRAIN_SECONDS": drain})
        if program.name in CLOCKED:
            program = replace(program, environment={**program.environment, **_environment(self._var, program.name)})
        return super()._child(program)


def step(folder: Path, name: str, seconds: float) -> None:
    """Makes a process's clock wrong by so much, within a second."""
    write_private(_file(folder, name), f"{seconds:+.3f}\n")


def library() -> Path | None:
    """The library; None where it isn't installed."""
    spec = find_spec("libfaketime")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return path if path.exists() else None


def _environment(folder: Path, name: str) -> Mapping[str, str]:
    path = library()
    if path is None:
        return {}
    step(folder, name, 0.0)
    return {
        "LD_PRELOAD": str(path),
        "FAKETIME_TIMESTAMP_FILE": str(_file(folder, name)),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.clock"


if __name__ == "__main__":
    embedded.Stack = ClockedStack  # type: ignore[misc]  # what the command makes
    foreground.run_foreground(
        Path(sys.argv[1]), 0, StackPart.ALL, lambda text: print(text, flush=True), tied=True, processes=None
    )
