"""Lints the description by Redocly, as `make check` does: `python -m openapi.lint docs/openapi.yaml`.

Where there is no Node it is left out: what openapi-spec-validator calls a pattern is Python's, not ECMAScript's.
"""

import os
import subprocess
import sys
from pathlib import Path

from local import npm

REDOCLY = Path(__file__).parent / "redocly"
# It reports to its makers otherwise, and asks for a newer version of itself.
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def lint(description: Path) -> str:
    """What Redocly finds wrong with a description; empty if nothing.

    Raises:
        npm.NoNode: Redocly can't run here.
        subprocess.CalledProcessError: npm couldn't get it.
    """
    program = npm.installed(REDOCLY) / "node_modules" / ".bin" / "redocly"
    command = (program, "lint", description, "--config", REDOCLY / "redocly.yaml", "--format", "stylish")
    done = subprocess.run(command, env=os.environ | _QUIET, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def main() -> None:
    """Command line: fails with what is wrong."""
    description = Path(sys.argv[1])
    try:
        if found := lint(description):
            sys.exit(found)
        print(f"{description} is valid")
    except npm.NoNode as missing:
        print(f"{missing}. Without it {description} isn't linted.", file=sys.stderr)


if __name__ == "__main__":
    main()
