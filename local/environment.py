"""A virtual environment of its own for what a lock says: `python -m local.environment FOLDER LOCK` prints its Python.

For what must not meet the project's own packages: the benchmark's peer, and what builds the documents' site.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.errors import CannotStart
from local.install import pip_settings, uv_settings


def python(folder: Path, lock: Path) -> Path:
    """The interpreter of an environment, which is made at the first call, and again when the lock has changed.

    Raises:
        CannotStart: Its packages can't be installed.
    """
    interpreter, installed = folder / "bin" / "python", folder / lock.name
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return interpreter
    subprocess.run((sys.executable, "-m", "venv", "--clear", str(folder)), check=True)
    listed = subprocess.run(
        (sys.executable, "-m", "pip", "config", "list"), stdout=subprocess.PIPE, text=True, check=True
    )
    uv = (str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", str(interpreter))
    done = subprocess.run(
        (*uv, "--require-hashes", "-r", str(lock)),
        env=uv_settings(os.environ, pip_settings(listed.stdout)),
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise CannotStart(f"The packages of {lock.name} can't be installed:\n{done.stderr.strip()}")
    shutil.copyfile(lock, installed)
    return interpreter


def main() -> None:
    """Command line."""
    folder, lock = map(Path, sys.argv[1:])
    try:
        print(python(folder, lock))
    except CannotStart as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
