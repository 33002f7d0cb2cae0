"""Requests made from the API's description by Schemathesis, and replies held against it: nothing it doesn't say.

In the suite one request of each kind for each operation, always the same ones; with ECO2_FUZZ_SECONDS for so long, and
with the limits of every field besides.
"""

import os
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from local.stack.envoy import DESCRIPTION, ROOT
from local.stack.secrets import Secrets
from local.stack.tokens import Tokens

SECONDS = os.environ.get("ECO2_FUZZ_SECONDS")
SEED = os.environ.get("ECO2_FUZZ_SEED", "0")
CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_every_reply_is_as_described(stack: Mapping[str, str], tmp_path: Path) -> None:
    """No 5xx, no status, type, header or shape that isn't described; right requests pass, wrong ones don't."""
    token = Tokens(Secrets.load_or_create(Path(stack["VAR"]) / "secrets").signing_key).issue("user-schemathesis")
    often = ["--phases", "examples,fuzzing", "--max-examples", "1", "--seed", "1", "--generation-deterministic"]
    long = [
        "--phases",
        "examples,coverage,fuzzing,stateful",
        "--max-time",
        str(SECONDS),
        *(["--seed", SEED] if SEED != "0" else []),
    ]
    done = subprocess.run(
        [
            *(f"{sysconfig.get_path('scripts')}/st", "--no-color", "--config-file", CONFIG),
            *("run", DESCRIPTION, "--url", stack["ECO2_REST_URL"], "--header", f"Authorization: Bearer {token}"),
            *(long if SECONDS else often),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
