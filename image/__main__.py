"""`make image` builds the image of the Dockerfile into var/image: an OCI archive, and its bill of materials."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from image.bootstrap import bootstrap
from image.build import ROOT, Builder
from image.commands import CommandFailed

FOLDER = ROOT / "var" / "image"


def main() -> None:
    """Command line."""
    if missing := [tool for tool in ("mmdebstrap", "buildah") if not shutil.which(tool)]:
        sys.exit(f"No {' and no '.join(missing)}: install them (Debian, Ubuntu: apt install mmdebstrap buildah).")
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        archive, digest = _build()
    except CommandFailed as failed:
        sys.exit(str(failed))
    print(f"{archive.relative_to(ROOT)}  {archive.stat().st_size / 1e6:.0f} MB  {digest}")


def _build() -> tuple[Path, str]:
    """The archive and its digest.

    Raises:
        CommandFailed: One of the programs can't.
    """
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or 0)
    builder = Builder(FOLDER)
    builder.import_base(bootstrap(FOLDER / "base.tar", epoch), epoch)
    print("Building the image ...", flush=True)
    builder.build(version, _git("rev-parse", "HEAD") or "unknown", epoch)
    builder.forget_old()
    archive = FOLDER / f"eco2-{version}.oci.tar"
    digest = builder.push(archive, f"eco2:{version}")
    archive.with_name(f"eco2-{version}.sbom.json").write_text(builder.materials(), "utf-8")
    return archive, digest


def _git(*arguments: str) -> str:
    """What git says of this checkout; empty where this is none."""
    return subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
