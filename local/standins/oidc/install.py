"""Installs the provider from npm: `python -m local.standins.oidc.install`. Needs Node 20 or newer, with npm.

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

_HERE = Path(__file__).parent
_TOOLS = Path(__file__).resolve().parents[3] / ".tools"
_FILES = ("package.json", "package-lock.json", "provider.mjs")


class NoNode(Exception):
    """Node or npm isn't on the path."""


def installed() -> Path:
    """The provider's program, installed if it isn't yet. The folder's name holds the digest of what is in it.

    Raises:
        NoNode: It can't be.
        subprocess.CalledProcessError: npm couldn't get a package.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NoNode("Node isn't installed: https://nodejs.org, or your system's packages nodejs and npm")
    digest = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    folder = _TOOLS / f"oidc-{digest}"
    _TOOLS.mkdir(exist_ok=True)
    with (_TOOLS / "oidc.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' workers ask at the same time
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=_TOOLS) as draft:
                made = Path(draft) / "oidc"
                made.mkdir()
                for name in _FILES:
                    shutil.copy(_HERE / name, made)
                command = (npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
                subprocess.run(command, cwd=made, check=True)
                made.rename(folder)
    return folder / "provider.mjs"


if __name__ == "__main__":
    try:
        print(installed())
    except NoNode as missing:
        print(f"{missing}. Without it the tests of signing in are left out.", file=sys.stderr)
