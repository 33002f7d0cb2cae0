"""`@eco2/client` as npm gets it: its own tests against an edge that they script, and its example against ours."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from clients.typescript.build import build, pack, packages
from local import npm
from tests.support.sample_photos import note

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the client was compiled, types and all, from the description as it is now."""
    folder = tmp_path_factory.mktemp("typescript")
    try:
        build(folder)
    except npm.NoNode as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    except subprocess.CalledProcessError as failed:
        pytest.fail(failed.stdout + failed.stderr)
    return folder


def run(folder: Path, *command: str | Path, **environment: str) -> str:
    """What a program prints; it must succeed."""
    inherited = {**os.environ, **environment}
    done = subprocess.run(
        command, cwd=folder, env=inherited, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_clients_own_tests_pass(built: Path) -> None:
    """What is lost, cut, refused, aborted and expired, by Node's test runner."""
    tests = sorted(built.glob("dist/test/*.test.js"))
    assert tests
    output = run(built, "node", "--test", "--test-reporter=tap", *tests)
    assert "# skipped 0" in output


def test_the_package_scans_as_its_example_says(built: Path, stack: Mapping[str, str], tmp_path: Path) -> None:
    """Installed as npm would, by the example as it is written: ten lines from the photo to the answer."""
    with tarfile.open(pack(built, tmp_path)) as package:
        package.extractall(tmp_path, filter="data")
    installed = tmp_path / "node_modules" / "@eco2" / "client"
    installed.parent.mkdir(parents=True)
    (tmp_path / "package").rename(installed)
    for name in ("openapi-fetch", "openapi-typescript-helpers"):
        (tmp_path / "node_modules" / name).symlink_to(packages() / name)
    (tmp_path / "photo.jpg").write_bytes(note())

    shutil.copy(ROOT / "examples" / "typescript" / "scan.mjs", tmp_path)
    output = run(tmp_path, "node", "scan.mjs", **stack)
    assert "100 %" in output
    assert "Paper: what to do." in output


def test_the_example_by_curl_scans_as_written(stack: Mapping[str, str], tmp_path: Path) -> None:
    """The same without any client."""
    (tmp_path / "photo.jpg").write_bytes(note())
    output = run(tmp_path, "sh", ROOT / "examples" / "curl" / "scan.sh", **stack)
    assert "event: terminal" in output
    assert "STATE_SUCCEEDED" in output
