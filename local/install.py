"""Installs a lock into the virtual environment that runs this: `python -m local.install requirements-local.lock`.

uv does the work, several times quicker than pip would; pip installs uv, and everything where uv can't. uv doesn't read
pip's settings, so it is handed those by which this machine reaches its packages. This runs before anything is
installed, on the standard library alone.
"""

import ast
import os
import re
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSTALLERS = ROOT / "requirements-install.lock"

_VENV = Path(sys.prefix)
# There while an installation is under way. Found at the start, it says that the last one may have left half a package.
_UNFINISHED = _VENV / ".unfinished"
_LOG = _VENV / "install.log"

_UV_NAMES = {  # pip's settings, and the variables by which uv takes the same
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
}
_SCOPES = ("global", "install", ":env:")  # of pip's settings; the later one wins

_PIP = (sys.executable, "-m", "pip")
_PIP_INSTALL = (*_PIP, "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-warn-script-location")
_UV = (str(Path(sys.executable).with_name("uv")), "pip", "install", "--python", sys.executable)
_PROJECT = ("--no-deps", "--no-build-isolation", "--editable", str(ROOT))


class NotInstalled(Exception):
    """An installer failed; the text says why in a line."""


def install(lock: Path) -> None:
    """Brings what the lock says into the environment, and the project itself, editable. What else is there stays.

    Raises:
        NotInstalled: It can't.
    """
    broken = _UNFINISHED.exists()
    _UNFINISHED.touch()
    _LOG.unlink(missing_ok=True)
    settings = uv_settings(os.environ, pip_settings(_output(*_PIP, "config", "list")))
    _run(*_PIP_INSTALL, *(["--force-reinstall"] if broken else []), "--require-hashes", "-r", INSTALLERS)
    again = ["--reinstall"] if broken else []
    try:
        _run_uv(*_UV, *_compiled(os.environ), *again, "--require-hashes", "-r", lock, settings=settings)
        _run(*_UV, "--quiet", *_PROJECT, settings=settings)
    except NotInstalled as failed:
        print(f"uv failed ({failed}); trying pip, which takes longer ...", flush=True)
        again = ["--force-reinstall"] if broken else []
        _run(*_PIP_INSTALL, *again, "--require-hashes", "-r", lock)
        _run(*_PIP_INSTALL, *_PROJECT)
    _UNFINISHED.unlink()


def pip_settings(listed: str) -> dict[str, str]:
    """pip's settings by name, from what `pip config list` prints: lines such as `global.cert='/etc/ssl/ca.pem'`."""
    found: list[tuple[int, str, str]] = []
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        scope, _, key = name.rpartition(".")
        if scope in _SCOPES:
            found.append((_SCOPES.index(scope), key, ast.literal_eval(value)))
    return {key: value for _, key, value in sorted(found)}


def uv_settings(environment: Mapping[str, str], pip: Mapping[str, str]) -> dict[str, str]:
    """The environment in which uv finds packages where pip does. What is set for uv itself wins.

    Args:
        environment: This process's.
        pip: pip's settings.
    """
    handed = {_UV_NAMES[name]: " ".join(value.split()) for name, value in pip.items() if name in _UV_NAMES}
    if links := handed.get("UV_FIND_LINKS"):
        handed["UV_FIND_LINKS"] = links.replace(" ", ",")
    return {
        "UV_SYSTEM_CERTS": "true",
        # pip takes a version from whichever index has it. So may uv: the locks' hashes say what it must be.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        **handed,
        **environment,
    }


def _compiled(environment: Mapping[str, str]) -> list[str]:
    """Python compiles what it imports the first time, unless it is told to keep that to itself."""
    return ["--compile-bytecode"] if environment.get("PYTHONDONTWRITEBYTECODE") else []


def _output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def _run(*command: str | Path, settings: Mapping[str, str] = os.environ) -> None:
    """Runs an installer quietly.

    Raises:
        NotInstalled: It failed.
    """
    done = subprocess.run(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _demand(done.returncode, done.stderr)


def _run_uv(*command: str | Path, settings: Mapping[str, str]) -> None:
    """Runs uv, with its progress bars where there is a terminal to show them.

    Raises:
        NotInstalled: It failed.
    """
    if not sys.stderr.isatty():
        _run(*command, "--quiet", settings=settings)
        return
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, termios.tcgetwinsize(sys.stderr))
    with subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=theirs) as uv:
        os.close(theirs)
        printed = _shown(ours)
    _demand(uv.returncode, printed)


def _shown(terminal: int) -> bytes:
    """Shows what comes, up to the list of what was installed, and returns it."""
    printed, ended = b"", b""
    while True:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # how Linux says that nobody has the other end open
            break
        printed += piece
        if not ended:
            piece, ended, _ = piece.partition(b"Installed ")
            os.write(sys.stderr.fileno(), piece + (b"\x1b[0m" if ended else b""))
    os.close(terminal)
    return printed


def _demand(status: int, printed: bytes) -> None:
    if status == 0:
        return
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.decode(errors="replace"))
    with _LOG.open("a", encoding="utf-8") as log:
        log.write(text)
    raise NotInstalled(_reason(text) or f"status {status}")


def _reason(text: str) -> str:
    """The line that says most: the index is away, or else an installer's last word."""
    if "connection broken" in text or "dns error" in text:
        return "the package index can't be reached"
    causes = [line.strip() for line in text.splitlines() if re.match(r"\s*(error|cause|ERROR): ", line)]
    return causes[-1].partition(": ")[2] if causes else ""


def main() -> None:
    """Command line."""
    try:
        install(Path(sys.argv[1]))
    except NotInstalled as failed:
        sys.exit(f"Can't install: {failed}. All that was said: {_LOG}")
    except KeyboardInterrupt:
        print("Interrupted. The same command goes on from here.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
