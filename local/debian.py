"""Programs from Debian's archive, unpacked beside the project: `python -m local.debian PACKAGE…` prints where.

For what isn't on PyPI: PgBouncer, Prometheus. apt checks the archive's signatures. Nothing is installed into the
system, no script of a package runs and no daemon starts, so it takes no root.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import CannotStart

_TOOLS = Path(__file__).resolve().parents[1] / ".tools"
_NEEDED = ("apt-get", "dpkg-deb")
_WANTED = re.compile(r"^Inst (\S+) ", re.MULTILINE)  # what apt would install
# apt translates what it says, and takes its own steps otherwise when it may ask.
_PLAIN = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


class _Failed(Exception):
    """apt or dpkg ended with an error; the text is what it said."""


def unpacked(*packages: str) -> Path:
    """The root of a file system with some packages, and with what they need that this system doesn't have.

    Args:
        packages: Debian's names, such as "pgbouncer", whose program is then at usr/sbin/pgbouncer below it.

    Returns:
        A folder that is made once and kept.

    Raises:
        CannotStart: There is no apt here, or it can't get a package; the text says what to do.
    """
    folder = _TOOLS / f"debian-{_release()}-{'+'.join(sorted(packages))}"
    _TOOLS.mkdir(exist_ok=True)
    with (_TOOLS / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' workers ask at the same time
        if not folder.exists():
            _check_tools(packages)
            with tempfile.TemporaryDirectory(dir=_TOOLS) as draft:
                made = Path(draft) / "made"
                try:
                    _unpack(packages, made)
                except _Failed as failure:
                    raise CannotStart(_complaint(packages, failure)) from None
                made.rename(folder)
    return folder


def libraries(root: Path) -> Mapping[str, str]:
    """The environment in which a program below `root` finds the shared libraries that came with it."""
    folders = [str(folder) for parent in ("usr/lib", "lib") for folder in sorted(root.glob(f"{parent}/*-linux-*"))]
    return {"LD_LIBRARY_PATH": ":".join(folders)} if folders else {}


def _release() -> str:
    """The system whose packages these are: they are linked to its libraries."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return platform.system().lower()
    return f"{system.get('VERSION_CODENAME') or system['ID']}-{platform.machine()}"


def _check_tools(packages: Sequence[str]) -> None:
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        raise CannotStart(
            f"{' and '.join(packages)} would be unpacked from Debian's archive, but {' and '.join(missing)} isn't here:"
            " this takes Debian or Ubuntu."
        )


def _unpack(packages: Sequence[str], root: Path) -> None:
    archives = root.with_name("archives")
    archives.mkdir()
    try:
        _download(packages, archives)
    except _Failed:
        if os.geteuid() != 0:
            raise
        _run("apt-get", "update", "--quiet")  # the lists were never fetched, or name a version that is gone
        _download(packages, archives)
    for archive in sorted(archives.glob("*.deb")):
        _run("dpkg-deb", "--extract", str(archive), str(root))


def _download(packages: Sequence[str], archives: Path) -> None:
    plan = _run("apt-get", "install", "--simulate", "--no-install-recommends", "--quiet", *packages)
    # What is installed already is unpacked nevertheless if it was asked for: the caller looks for it below the root.
    names = sorted({*packages, *_WANTED.findall(plan)})
    _run("apt-get", "download", "--quiet", *names, cwd=archives)


def _run(*command: str, cwd: Path | None = None) -> str:
    """What a command prints."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **_PLAIN}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _Failed(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def _complaint(packages: Sequence[str], failure: _Failed) -> str:
    remedy = "" if os.geteuid() == 0 else " If its lists are old, update them: sudo apt-get update."
    return f"apt can't get {' and '.join(packages)}.{remedy}\n{failure}"


if __name__ == "__main__":
    try:
        print(unpacked(*sys.argv[1:]))
    except CannotStart as missing:
        sys.exit(str(missing))
