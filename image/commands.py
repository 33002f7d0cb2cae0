"""Running the programs that build an image."""

import os
import subprocess
from pathlib import Path


class CommandFailed(Exception):
    """A program ended badly; the text has its name, its status and the end of what it said."""


def run(*command: str | Path, **variables: str) -> str:
    """Runs a program and returns what it printed, without its last line break.

    Args:
        command: The program and its arguments.
        variables: Added to its environment.

    Raises:
        CommandFailed: It ended with another status than 0.
    """
    done = subprocess.run(
        command,
        capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, env={**os.environ, **variables},
    )  # fmt: skip
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise CommandFailed(f"{Path(command[0]).name} ended with {done.returncode}:\n{said}")
    return done.stdout.rstrip("\n")
