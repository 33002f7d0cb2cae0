"""Installs what folders lock for Node: `python -m local.npm FOLDER…`. Needs Node 20 or newer, with npm.

Everything is locked by digest and no package may run a script. It is installed once for each lock, where `.tools` has
what isn't from PyPI.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_TOOLS = Path(__file__).resolve().parents[1] / ".tools"
_LOCK = ("package.json", "package-lock.json")


class NoNode(Exception):
    """Node or npm isn't on the path."""


def found(source: Path) -> Path:
    """Where a folder's packages are once `installed` has run.

    Args:
        source: The folder of package.json and package-lock.json.
    """
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in _files(source))).hexdigest()[:12]
    return _TOOLS / f"{source.name}-{digest}"


def _files(source: Path) -> list[Path]:
    return [*(source / name for name in _LOCK), *sorted(source.glob("*.mjs"))]


def installed(source: Path) -> Path:
    """A copy of a folder's programs (*.mjs) beside what its lock names, installed if it isn't yet.

    Args:
        source: The folder of package.json and package-lock.json.

    Returns:
        A folder whose name holds the digest of what is in it.

    Raises:
        NoNode: It can't be.
        subprocess.CalledProcessError: npm couldn't get a package.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NoNode("Node isn't installed: https://nodejs.org, or your system's packages nodejs and npm")
    files, folder = _files(source), found(source)
    _TOOLS.mkdir(exist_ok=True)
    with (_TOOLS / f"{source.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' workers ask at the same time
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=_TOOLS) as draft:
                made = Path(draft) / "made"
                made.mkdir()
                for file in files:
                    shutil.copy(file, made)
                command = (npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
                subprocess.run(command, cwd=made, check=True)
                made.rename(folder)
    return folder


if __name__ == "__main__":
    try:
        for name in sys.argv[1:]:
            print(installed(Path(name)))
    except NoNode as missing:
        print(f"{missing}. Without it some tests and checks are left out.", file=sys.stderr)
