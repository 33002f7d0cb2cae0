"""`python -m clients.python.codegen DESCRIPTORS FOLDER`: writes what of the client is generated.

That is `models.py`, from a descriptor set with source information, and `_sync/`, from `_async/`. `make gen` calls this.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

from clients.python.codegen.blocking import blocking
from clients.python.codegen.models import models
from openapi.contract import Contract

_ASYNC = Path(__file__).parents[1] / "src" / "eco2_client" / "_async"
_BY_HAND = {"__init__.py", "runtime.py"}  # what the two worlds say and do differently
_RUFF = Path(sysconfig.get_path("scripts")) / "ruff"


def formatted(source: str) -> str:
    """The source as `make format` would leave it."""
    command = [str(_RUFF), "format", "--stdin-filename=generated.py", "-"]
    return subprocess.run(command, input=source, stdout=subprocess.PIPE, check=True, text=True).stdout


descriptors, folder = map(Path, sys.argv[1:])
(folder / "_sync").mkdir(parents=True, exist_ok=True)
(folder / "models.py").write_text(formatted(models(Contract.read(descriptors))), encoding="utf-8")
for file in sorted(_ASYNC.glob("*.py")):
    if file.name not in _BY_HAND:
        (folder / "_sync" / file.name).write_text(formatted(blocking(file.read_text("utf-8"))), encoding="utf-8")
