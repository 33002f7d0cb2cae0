"""Processes from the image, confined as Kubernetes confines them, by bubblewrap.

They have the image's user, its environment, no privileges, a root that nobody can write to, and a /tmp of their own. It
takes root to become that user: what the image keeps from it can't be read then.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO

from local import debian
from tests.support.image.archive import ImageArchive


class Process:
    """A process in a container that goes on. `Container.start` starts it.

    Attributes:
        pid: On this machine.
    """

    def __init__(self, outer: subprocess.Popen[bytes], pid: int) -> None:
        self._outer, self.pid = outer, pid

    @property
    def ended(self) -> bool:
        """Whether it has."""
        return self._outer.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal, which is all that Kubernetes does."""
        if not self.ended:
            os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Its exit status.

        Raises:
            subprocess.TimeoutExpired: It goes on after so long.
        """
        return self._outer.wait(seconds)


class Container:
    """What an image's processes are run in.

    Args:
        image: Unpacked.
    """

    def __init__(self, image: ImageArchive) -> None:
        configuration = image.description["config"]
        self._root = image.root
        self._uid, self._gid = configuration["User"].split(":")
        self._environment = dict(variable.split("=", 1) for variable in configuration["Env"])

    def command(
        self, words: Sequence[str], environment: Mapping[str, str], mounts: Mapping[str, Path], *more: str
    ) -> list[str]:
        """The command line on this machine.

        Args:
            words: The command line in the image.
            environment: Added to the image's.
            mounts: Folders and files of this machine that can be read in it, by where they are seen.
            more: Arguments of bubblewrap.
        """
        variables = {**self._environment, **environment}
        return [
            *(bubblewrap(), "--unshare-pid", "--as-pid-1", "--die-with-parent", "--new-session", "--chdir", "/"),
            *(
                "--ro-bind",
                str(self._root),
                "/",
                "--dev",
                "/dev",
                "--proc",
                "/proc",
                "--perms",
                "1777",
                "--tmpfs",
                "/tmp",
            ),
            *(word for place, source in mounts.items() for word in ("--ro-bind", str(source), place)),
            *("--clearenv", *(word for name, value in variables.items() for word in ("--setenv", name, value))),
            *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", *more),
            *(
                "setpriv",
                "--reuid",
                self._uid,
                "--regid",
                self._gid,
                "--clear-groups",
                "--inh-caps=-all",
                "--no-new-privs",
                *words,
            ),
        ]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            self.command(words, environment, {}), capture_output=True, text=True, timeout=120, cwd="/", env={}
        )

    def start(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        log: IO[bytes],
        mounts: Mapping[str, Path] = MappingProxyType({}),
        before: Sequence[str] = (),
    ) -> Process:
        """Starts what goes on until it is told to end.

        Args:
            words: The command line in the image.
            environment: Added to the image's.
            log: Takes what it prints.
            mounts: Folders and files of this machine that can be read in it, by where they are seen.
            before: Words of a command that runs the rest.
        """
        for place, source in mounts.items():
            _make_mount_point(self._root / place.lstrip("/"), folder=source.is_dir())
        told, tell = os.pipe()
        with os.fdopen(told, "rb") as pipe:
            command = [*before, *self.command(words, environment, mounts, "--info-fd", str(tell))]
            outer = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=[tell], cwd="/", env={})
            os.close(tell)
            return Process(outer, json.load(pipe)["child-pid"])


def _make_mount_point(place: Path, *, folder: bool) -> None:
    """Container engines make these in the image's file system, too, before it becomes read-only."""
    (place if folder else place.parent).mkdir(parents=True, exist_ok=True)
    if not folder:
        place.touch()


def bubblewrap() -> str:
    """The program, from Debian's package."""
    return str(debian.unpacked("bubblewrap") / "usr" / "bin" / "bwrap")
