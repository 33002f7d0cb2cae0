"""What the peer needs: an environment of its own, RabbitMQ, and the code of its gRPC service."""

import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

from local import environment
from local.errors import CannotStart

LOCK = Path(__file__).with_name("requirements.lock")

_APPLICATION = Path(__file__).with_name("application")
# Where Debian, Ubuntu, Fedora and the generic archive put the server itself. The command on the PATH is a wrapper that
# insists on being root.
_SERVERS = (Path("/usr/lib/rabbitmq/bin/rabbitmq-server"), Path("/opt/rabbitmq/sbin/rabbitmq-server"))
_MISSING = "RabbitMQ is missing, the peer's broker. Debian, Ubuntu: sudo apt install rabbitmq-server"
_APT = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "rabbitmq-server")
# dpkg starts no service of a package where this says that the system is in single-user mode.
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}


def python(folder: Path) -> Path:
    """The interpreter of the peer's environment.

    Raises:
        CannotStart: Its packages can't be installed.
    """
    return environment.python(folder, LOCK)


def rabbitmq() -> Path:
    """RabbitMQ's server; root gets the package of the distribution if it is missing.

    Raises:
        CannotStart: It isn't here.
    """
    if not _found() and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing rabbitmq-server by apt (about 130 MB with Erlang, once) ...", file=sys.stderr, flush=True)
        variables = {**os.environ, **_QUIET}
        for command in (("apt-get", "update", "--quiet"), _APT):
            subprocess.run(command, check=False, env=variables, stdout=subprocess.DEVNULL)
    server = _found()
    if server is None:
        raise CannotStart(_MISSING)
    return server


def epmd() -> str:
    """Erlang's port mapper, which RabbitMQ asks where it is itself.

    Raises:
        CannotStart: It isn't here.
    """
    found = shutil.which("epmd")
    if found is None:
        raise CannotStart(_MISSING)
    return found


def generate(folder: Path) -> None:
    """Writes the code for the peer's gRPC service.

    Raises:
        CannotStart: protoc failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    google = files("grpc_tools") / "_proto"
    options = (f"-I{_APPLICATION}", f"-I{google}", f"--python_out={folder}", f"--grpc_python_out={folder}")
    if protoc.main(["protoc", *options, "character.proto"]):
        raise CannotStart("protoc failed on the peer's character.proto")


def _found() -> Path | None:
    return next((server for server in _SERVERS if server.exists()), None)
