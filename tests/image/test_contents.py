"""What is in the image, and what isn't."""

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from image import index
from tests.support.image.archive import ROOT, ImageArchive

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="building the image takes root"),
]

_BUILDS = re.compile(r"(gcc|g\+\+|cc|c\+\+|cpp|ld|as|make|pip|uv|clang|rustc|cargo)[-\d.]*")
_DEBIANS = {"debian.org"}
_UNCHECKED_HASH = 0b01  # PEP 552
_PRIVATE_KEY = rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}"


@pytest.fixture(scope="module")
def files(image: ImageArchive) -> list[Path]:
    """Its regular files."""
    return [path for path in image.root.rglob("*") if path.is_file() and not path.is_symlink()]


def test_layers_hide_nothing(image: ImageArchive) -> None:
    """What a layer removes or replaces is still in the archive, for whoever reads it."""
    names = [member.name for member in image.members if not member.isdir()]
    assert [name for name in names if Path(name).name.startswith(".wh.")] == []
    assert len(names) == len({*names})


def test_all_belongs_to_root_and_gives_nobody_rights(image: ImageArchive) -> None:
    """The services' user can change nothing, and no program makes it anybody else."""
    members = image.members
    assert {member.uid for member in members} == {0}
    files = [member for member in members if member.isfile()]
    assert [member.name for member in files if member.mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH)] == []
    folders = {member.name.strip("./") for member in members if member.isdir() and member.mode & stat.S_IWOTH}
    assert folders <= {"tmp", "var/tmp", "run/lock"}
    assert [member.name for member in members if member.isdev()] == []


def test_nothing_that_builds_stayed(image: ImageArchive, files: list[Path]) -> None:
    """No compiler, no installer, no package list, no cache."""
    programs = [path.name for path in image.root.rglob("bin/*")]
    assert [name for name in programs if _BUILDS.fullmatch(name)] == []
    assert [
        path for path in files if path.suffix in {".whl", ".deb", ".h", ".a"} and "site-packages" not in str(path)
    ] == []
    assert [*(image.root / "root").rglob("*cache*"), *(image.root / "var" / "cache").iterdir()] == []
    assert [*(image.root / "var" / "lib" / "apt" / "lists").rglob("*")] == []


def test_nothing_tells_where_it_was_built(image: ImageArchive, files: list[Path]) -> None:
    """How this machine reaches its packages, and no key of anybody's."""
    told = _ways_to_packages()
    assert not [value for value in told if value in json.dumps([image.description, image.manifest])]
    faults = re.compile(b"|".join([_PRIVATE_KEY, *(re.escape(value.encode()) for value in told)]))
    found = [path.name for path in files if faults.search(path.read_bytes())]
    assert [name for name in found if not name.startswith("libgnutls")] == []  # it has keys to test itself with
    sources = [path.read_text("utf-8") for path in (image.root / "etc" / "apt").rglob("*.list")]
    hosts = [str(urlsplit(url).hostname) for text in sources for url in re.findall(r"https?://\S+", text)]
    assert {host.partition(".")[2] for host in hosts} == _DEBIANS


def _ways_to_packages() -> set[str]:
    """Addresses and folders of pip's and uv's settings."""
    words = {word for value in index.settings().values() for word in re.split(r"[\s,]+", value)}
    named = {urlsplit(word).netloc or urlsplit(word).path for word in words if "/" in word}
    return {name for name in named if not name.startswith("/etc/ssl/")}


def test_bytecode_holds_whatever_the_files_times(files: list[Path]) -> None:
    """All times in the image are one, so bytecode that is checked by time would be compiled anew at every start."""
    flags = {path: path.read_bytes()[4] for path in files if path.suffix == ".pyc"}
    assert len(flags) > 3000
    assert [path for path, flag in flags.items() if flag != _UNCHECKED_HASH] == []
    sources = [path for path in files if path.suffix == ".py" and "eco2/lib" in str(path) and "_svc" in str(path)]
    assert [path for path in sources if not [*(path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")]] == []


def test_its_bill_lists_every_package(image: ImageArchive) -> None:
    """The same bill lies beside the archive."""
    text = (image.root / "opt" / "eco2" / "sbom.json").read_text("utf-8")
    (beside,) = (ROOT / "var" / "image").glob("*.sbom.json")
    assert beside.read_text("utf-8") == text
    bill = json.loads(text)
    listed = {unquote(urlsplit(part["purl"]).path.partition("@")[0]) for part in bill["components"] if "purl" in part}
    assert {f"pypi/{name}" for name in _python_packages(image)} - listed == {"pypi/eco2"} - listed
    assert {f"deb/debian/{name}" for name in _debian_packages(image)} <= listed


def _python_packages(image: ImageArchive) -> Iterator[str]:
    for folder in image.root.rglob("*.dist-info"):
        yield re.sub(r"[-_.]+", "-", folder.name.partition("-")[0]).lower()


def _debian_packages(image: ImageArchive) -> list[str]:
    status = image.root / "var" / "lib" / "dpkg" / "status"
    return re.findall(r"^Package: (\S+)$", status.read_text("utf-8"), re.MULTILINE)


def test_it_says_what_it_is(image: ImageArchive) -> None:
    """To Kubernetes, and to who finds it in a registry."""
    configuration = image.description["config"]
    assert configuration["User"] == "10001:10001"
    labels = configuration["Labels"]
    assert labels["org.opencontainers.image.title"] == "Eco²"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert labels["org.opencontainers.image.revision"] == head.stdout.strip()
    assert labels["org.opencontainers.image.version"]
