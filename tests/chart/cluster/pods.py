"""Pods: the container's process from the image, in a network of its own, with its volumes, started and ended."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.chart.cluster import probes
from tests.chart.cluster.manifests import Release, Workload
from tests.chart.cluster.network import Network, inside
from tests.support.image.container import Container, Process
from tests.support.waiting import eventually

_USER = 10001


@dataclass(frozen=True, slots=True)
class Pod:
    """One that runs.

    Attributes:
        workload: What it belongs to.
        address: Its own.
        process: Its first.
        log: What it printed.
    """

    workload: Workload
    address: str
    process: Process
    log: Path

    async def ready(self) -> None:
        """Waits until its probes say so.

        Raises:
            AssertionError: It ended.
            TimeoutError: They don't.
        """
        started = probes.patience(self.workload, "startupProbe")
        await eventually(lambda: self._passes("startupProbe"), started)
        await eventually(lambda: self._passes("readinessProbe"), started)

    async def alive(self) -> bool:
        """What the liveness probe says."""
        return await self._passes("livenessProbe")

    async def end(self) -> tuple[int, float]:
        """Ends it as the kubelet does; returns its status, -9 if its grace was over, and the seconds that it took."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        if self.workload.pre_stop and not self.process.ended:
            await asyncio.to_thread(self._execute, self.workload.pre_stop)
        self.process.send(signal.SIGTERM)
        try:
            left = self.workload.grace - (loop.time() - begin)
            status = await asyncio.to_thread(self.process.wait, max(left, 0))
        except subprocess.TimeoutExpired:
            self.process.send(signal.SIGKILL)
            status = -signal.SIGKILL
        return status, loop.time() - begin

    @property
    def memory(self) -> int:
        """The most that its processes ever had, in bytes: more than they had at one time."""
        first = psutil.Process(self.process.pid)
        return sum(_peak(each.pid) for each in [first, *first.children(recursive=True)])

    async def _passes(self, kind: str) -> bool:
        assert not self.process.ended, self.log.read_text("utf-8")[-4000:]
        return await probes.passes(self.workload, self.address, kind)

    def _execute(self, words: Sequence[str]) -> None:
        """As `kubectl exec` does."""
        enter = ("nsenter", f"--target={self.process.pid}", "--net", "--mount", "--pid", "--root", "--wd=/")
        user = ("setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups")
        subprocess.run([*enter, *user, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")


class Node:
    """Starts pods.

    Args:
        container: The image.
        release: What to run.
        network: Where.
        folder: For volumes and logs; any user gets to it.
        programs: Programs that other images would bring, by name.
    """

    def __init__(
        self, container: Container, release: Release, network: Network, folder: Path, programs: Mapping[str, Path]
    ) -> None:
        self._container, self._release, self._network = container, release, network
        self._folder, self._programs = folder, programs
        self._count = 0

    def start(self, workload: Workload) -> Pod:
        """A new pod of a workload."""
        self._count += 1
        name, address = self._network.add()
        folder = self._folder / f"{workload.name}-{self._count}"
        folder.mkdir()
        folder.chmod(0o755)
        mounts = {"/etc/resolv.conf": self._network.resolv_conf, **self._volumes(workload, folder)}
        mounts |= {f"/usr/bin/{name}": path for name, path in self._programs.items() if name in workload.words}
        log = folder / "log"
        with log.open("wb") as output:
            environment = self._release.environment(workload)
            process = self._container.start(workload.words, environment, output, mounts, inside(name))
        return Pod(workload, address, process, log)

    def _volumes(self, workload: Workload, folder: Path) -> dict[str, Path]:
        """Its volumes as folders, by where they are mounted. /tmp is there anyway."""
        volumes = {volume["name"]: volume for volume in workload.pod.get("volumes", ())}
        mounts = {}
        for mount in workload.container.get("volumeMounts", ()):
            if "emptyDir" in volumes[mount["name"]]:
                continue
            place = folder / mount["name"]
            place.mkdir()
            place.chmod(0o755)
            for name, content in self._release.files(volumes[mount["name"]]).items():
                (place / name).write_bytes(content)
                shutil.chown(place / name, 0, _USER)
                (place / name).chmod(0o440)
            mounts[mount["mountPath"]] = place
        return mounts


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")), 0)
