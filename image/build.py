"""Builds the Dockerfile by buildah, which needs no daemon."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image import index
from image.commands import run

ROOT = Path(__file__).parents[1]

_BASE = "localhost/eco2-base"
_IMAGE = "localhost/eco2"
_MATERIALS = "opt/eco2/sbom.json"


class Builder:
    """buildah with a storage of its own.

    Args:
        folder: Where the storage is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._buildah = ("buildah", "--root", folder / "storage", "--runroot", folder / "run")

    def import_base(self, tar: Path, epoch: int) -> None:
        """Makes an image of a whole file system, for the Dockerfile to start from."""
        with self._container("scratch") as empty:
            run(*self._buildah, "add", "--quiet", empty, tar, "/")
            run(*self._buildah, "commit", "--quiet", f"--timestamp={epoch}", empty, _BASE)

    def build(self, version: str, revision: str, epoch: int) -> None:
        """Builds the image; its files and its history bear one date.

        Raises:
            CommandFailed: buildah can't.
        """
        settings = index.settings()
        arguments = {"BASE": _BASE, "VERSION": version, "REVISION": revision, "SOURCE_DATE_EPOCH": epoch}
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as secret:
            secret.write(index.as_shell(settings))
            secret.flush()
            run(
                *(*self._buildah, "build", "--isolation=chroot", "--network=host", "--layers=false", "--format=oci"),
                *(f"--build-arg={name}={value}" for name, value in arguments.items()),
                *(f"--secret=id=index,src={secret.name}", f"--timestamp={epoch}"),
                *(f"--volume={one}:{one}:ro" for one in index.folders(settings)),
                *("--tag", _IMAGE, "--file", ROOT / "Dockerfile", ROOT),
            )

    def forget_old(self) -> None:
        """Removes what no image of this build needs: the last one's files."""
        run(*self._buildah, "rmi", "--prune", "--force")

    def push(self, archive: Path, name: str) -> str:
        """Writes the image into an OCI archive and returns its digest, `sha256:…`."""
        archive.unlink(missing_ok=True)
        digest = archive.with_suffix(".digest")
        run(*self._buildah, "push", "--quiet", f"--digestfile={digest}", _IMAGE, f"oci-archive:{archive}:{name}")
        return digest.read_text("utf-8").strip()

    def materials(self) -> str:
        """The bill of materials that lies in the image: CycloneDX, JSON."""
        with self._container(_IMAGE) as built:
            return (Path(run(*self._buildah, "mount", built)) / _MATERIALS).read_text("utf-8")

    @contextmanager
    def _container(self, image: str) -> Iterator[str]:
        name = run(*self._buildah, "from", "--quiet", "--pull-never", image)
        try:
            yield name
        finally:
            run(*self._buildah, "rm", name)
