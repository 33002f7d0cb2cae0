"""`@eco2/client` as npm gets it: its own tests against an edge that they script, and its example against ours."""

import json
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from PIL.ExifTags import Base

from clients.typescript.build import build, pack, packages
from local import npm
from tests.e2e.browser import bundle
from tests.support.sample_photos import note

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


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


def test_a_page_makes_a_photo_smaller_and_scans_it(built: Path, stack: Mapping[str, str], tmp_path: Path) -> None:
    """In Chromium, across origins, with a photo as a phone takes it: too large, sideways, and saying where it was."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        pytest.skip("npm's Chromium is for Linux on x86-64")
    browser = bundle.packages()
    upright = Image.open(BytesIO(note())).resize((2400, 3200))
    told = Image.Exif()
    told[Base.Orientation], told[Base.ImageDescription] = 6, "at home"
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "photo.jpg", exif=told)
    client = tmp_path / "client.js"
    bundler = browser / "node_modules" / ".bin" / "esbuild"
    run(built, bundler, "dist/src/index.js", "--bundle", "--format=esm", "--log-level=error", f"--outfile={client}")

    output = run(tmp_path, "node", HERE / "in_browser.mjs", browser, client, tmp_path / "photo.jpg", **stack)
    seen = json.loads(output.splitlines()[-1])
    smaller = Image.open(BytesIO(bytes(seen["smaller"])))
    assert (smaller.format, smaller.size, dict(smaller.getexif())) == ("JPEG", (1200, 1600), {})
    difference = ImageChops.difference(smaller.convert("L"), upright.convert("L").resize((1200, 1600)))
    assert ImageStat.Stat(difference).mean[0] < 5  # of 255: it is below 1, mirrored or upside down 28
    assert seen["untouched"]
    assert seen["states"][-1] == "STATE_SUCCEEDED"


def test_the_example_by_curl_scans_as_written(stack: Mapping[str, str], tmp_path: Path) -> None:
    """The same without any client."""
    (tmp_path / "photo.jpg").write_bytes(note())
    output = run(tmp_path, "sh", ROOT / "examples" / "curl" / "scan.sh", **stack)
    assert "event: terminal" in output
    assert "STATE_SUCCEEDED" in output
