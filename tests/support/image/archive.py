"""The image as `make image` leaves it: an OCI archive, a tar of blobs that are named by their digests."""

import fcntl
import json
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


class ImageArchive:
    """An archive.

    Args:
        file: The archive.
        folder: Its blobs are laid there, and its file system by `unpack`.

    Attributes:
        root: The file system.
    """

    def __init__(self, file: Path, folder: Path) -> None:
        self._blobs, self.root = folder / "blobs", folder / "root"
        with tarfile.open(file) as archive:
            archive.extractall(self._blobs, filter="data")

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What it is made of."""
        (only,) = json.loads((self._blobs / "index.json").read_bytes())["manifests"]
        return self._json(only["digest"])

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """Its configuration and its history."""
        return self._json(self.manifest["config"]["digest"])

    @property
    def revision(self) -> str:
        """The commit that it was built of."""
        return str(self.description["config"]["Labels"]["org.opencontainers.image.revision"])

    @cached_property
    def members(self) -> list[tarfile.TarInfo]:
        """What its layers say of each file, the lowest layer first."""
        found = []
        for blob in self._layers:
            with tarfile.open(blob) as layer:
                found.extend(layer.getmembers())
        return found

    def unpack(self) -> None:
        """Lays its file system into `root`, with owners and modes."""
        self.root.mkdir()
        for layer in self._layers:
            subprocess.run(["tar", "-xzpf", layer, "--numeric-owner", "--directory", self.root], check=True)

    @property
    def _layers(self) -> list[Path]:
        return [self._blob(layer["digest"]) for layer in self.manifest["layers"]]

    def _json(self, digest: str) -> Mapping[str, Any]:
        read: Mapping[str, Any] = json.loads(self._blob(digest).read_bytes())
        return read

    def _blob(self, digest: str) -> Path:
        return self._blobs / "blobs" / digest.replace(":", "/")


def of_this_commit(folder: Path) -> ImageArchive:
    """The image, unpacked below a folder; built first unless `make image` has done so since the last commit."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    file = ROOT / "var" / "image" / f"eco2-{version}.oci.tar"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    with (file.parent / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' workers may ask at the same time
        if not file.exists() or (found := ImageArchive(file, folder / "found")).revision != head.stdout.strip():
            subprocess.run([sys.executable, "-m", "image"], cwd=ROOT, check=True)
            found = ImageArchive(file, folder / "built")
    found.unpack()
    return found
