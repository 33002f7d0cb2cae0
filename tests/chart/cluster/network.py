"""A network of its own for each pod: an address, all ports free, a loopback that nobody shares; and names, by dnsmasq.

    10.203.N.1      this machine on the bridge: stores, DNS
    10.203.N.2 …    pods, each in a network namespace

Needs root and iproute2.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import debian
from tests.chart.cluster.manifests import NAMESPACE

DOMAIN = f"{NAMESPACE}.svc.cluster.local"


class Network:
    """A bridge and what hangs on it.

    Args:
        folder: For the file of names.
    """

    def __init__(self, folder: Path) -> None:
        self._number = os.getpid() % 250
        self._bridge = f"eco2-{self._number}"
        self.gateway = self._address(1)
        self._pods: list[str] = []
        self._names = folder / "names"
        self._names.touch()
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("address", "add", f"{self.gateway}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        self.resolv_conf = folder / "resolv.conf"  # as kubelet writes it
        self.resolv_conf.write_text(f"nameserver {self.gateway}\nsearch {DOMAIN}\noptions ndots:5\n", "utf-8")
        self.resolv_conf.chmod(0o644)
        self._dns = _dnsmasq(f"--listen-address={self.gateway}", f"--addn-hosts={self._names}")

    def add(self) -> tuple[str, str]:
        """A new network namespace; returns its name and its address."""
        number = len(self._pods) + 2
        name, address = f"{self._bridge}-{number}", self._address(number)
        outer, inner = f"e{self._number}o{number}", f"e{self._number}i{number}"
        _ip("netns", "add", name)
        self._pods.append(name)
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner)
        _ip("link", "set", outer, "master", self._bridge, "up")
        _ip("link", "set", inner, "netns", name)
        _ip("-n", name, "address", "add", f"{address}/24", "dev", inner)
        _ip("-n", name, "link", "set", inner, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        return name, address

    def publish(self, names: Mapping[str, Sequence[str]]) -> None:
        """Says where services are from now on.

        Args:
            names: Addresses of pods by the service's name.
        """
        lines = (f"{address} {name}.{DOMAIN}\n" for name, found in names.items() for address in found)
        self._names.write_text("".join(lines), "utf-8")
        self._dns.send_signal(signal.SIGHUP)

    def close(self) -> None:
        """Removes all of it."""
        self._dns.terminate()
        self._dns.wait()
        for name in self._pods:
            _ip("netns", "delete", name)
        _ip("link", "delete", self._bridge)

    def _address(self, number: int) -> str:
        return f"10.203.{self._number}.{number}"


def inside(namespace: str) -> Sequence[str]:
    """What runs a command in a network namespace, before it."""
    return (_program("ip"), "netns", "exec", namespace)


def _dnsmasq(*options: str) -> subprocess.Popen[bytes]:
    """Names alone, nothing of this machine's."""
    root = debian.unpacked("dnsmasq-base")
    own = ("--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=", "--user=root", "--cache-size=0")
    command = [root / "usr" / "sbin" / "dnsmasq", "--keep-in-foreground", "--bind-interfaces", "--except-interface=lo"]
    return subprocess.Popen([*command, *own, *options], env={**os.environ, **debian.libraries(root)})


def _ip(*words: str) -> None:
    subprocess.run([_program("ip"), *words], check=True, capture_output=True, text=True)


def _program(name: str) -> str:
    return shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin") or name
