"""Builds `@eco2/client` for npm: `python -m clients.typescript.build FOLDER`. Needs Node.

It is compiled in a folder of its own, with types that openapi-typescript writes from docs/openapi.yaml. They aren't
committed, so they can't be other than the description.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from local import npm

HERE = Path(__file__).parent
DESCRIPTION = HERE.parents[1] / "docs" / "openapi.yaml"
_SOURCES = ("package.json", "tsconfig.json", "README.md")


def packages() -> Path:
    """The folder with the compilers and what the client needs, installed if they aren't yet.

    Raises:
        NoNode: They can't be.
    """
    return npm.installed(HERE) / "node_modules"


def build(folder: Path) -> None:
    """Compiles the client and its tests into `dist` of an empty folder.

    Raises:
        NoNode: It can't be.
        subprocess.CalledProcessError: It doesn't compile; what the compiler says is its output.
    """
    modules = packages()
    for name in _SOURCES:
        shutil.copy(HERE / name, folder)
    for name in ("src", "test"):
        shutil.copytree(HERE / name, folder / name)
    (folder / "node_modules").symlink_to(modules)
    for command in (
        (modules / ".bin" / "openapi-typescript", DESCRIPTION, "--output", folder / "src" / "description.ts"),
        ("node", modules / "typescript-native" / "bin" / "tsc"),
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


def pack(built: Path, target: Path) -> Path:
    """The package of a built client, in a folder."""
    command = ("npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", target)
    name = subprocess.run(command, cwd=built, check=True, capture_output=True, text=True).stdout.strip()
    return target / name


def main() -> None:
    """Command line: builds and packs."""
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            build(Path(folder))
            print(pack(Path(folder), target))
    except npm.NoNode as missing:
        sys.exit(str(missing))
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{failed.stdout}{failed.stderr}")


if __name__ == "__main__":
    main()
