"""The wheel of stubs, as another team gets it: built, installed somewhere else, checked by mypy."""

import ast
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(sysconfig.get_path("scripts"))

CALLER = """
import grpc
from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1.scan_service_pb2_grpc import ScanServiceStub

def state_of(channel: grpc.Channel, scan_id: str) -> str:
    scan = ScanServiceStub(channel).GetScan(pb.GetScanRequest(scan_id=scan_id), timeout=5)
    return scan.image_url
"""
BROUGHT = {"grpc": "grpcio", "google": "googleapis-common-protos", "eco2": "", "buf": ""}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make wheel` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [PROGRAMS / "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=ROOT / "protos", check=True, capture_output=True)
    (built,) = folder.glob("eco2_protos-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with it, whose other packages are this one's, but for our own code; its interpreter."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False, symlinks=True)
    (packages,) = home.glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(packages)
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return home / "bin" / "python"


def test_it_is_the_stubs_and_nothing_else(wheel: Path) -> None:
    """No service, no bytecode; marked as typed."""
    names = zipfile.ZipFile(wheel).namelist()
    stubs = {
        str(path.relative_to(ROOT / "gen"))
        for path in (ROOT / "gen").glob("*/**/*_pb2*.py*")
        if "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == stubs | {"eco2/py.typed"}


def test_it_imports_what_it_says_it_needs(wheel: Path) -> None:
    """Else it fails on the machine of another team, not here."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        needed = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
        sources = [archive.read(name) for name in archive.namelist() if name.endswith(".py")]
    trees = [node for source in sources for node in ast.walk(ast.parse(source))]
    imported = {alias.name for node in trees if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in trees if isinstance(node, ast.ImportFrom) and node.module}
    packages = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert packages == {*BROUGHT}
    assert {line.partition(">=")[0] for line in needed} == {"protobuf", *filter(None, BROUGHT.values())}


def test_it_runs_where_it_is_installed(installed: Path) -> None:
    """From its own files."""
    code = "import eco2.scan.v1.scan_service_pb2_grpc as stubs; print(stubs.__file__)"
    done = subprocess.run([installed, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(installed.parents[1]))


def test_mypy_finds_a_planted_typo(installed: Path, tmp_path: Path) -> None:
    """A field that isn't, of a request and of a reply; of the code without them there is nothing to say."""
    (tmp_path / "right.py").write_text(CALLER, encoding="utf-8")
    typos = CALLER.replace("scan_id=", "scan_idd=").replace("image_url", "image_ulr")
    (tmp_path / "wrong.py").write_text(typos, encoding="utf-8")
    options = [
        "--strict",
        "--python-executable",
        installed,
        "--config-file",
        "/dev/null",
        "--cache-dir",
        tmp_path / "x",
    ]

    done = subprocess.run([PROGRAMS / "mypy", *options, "."], cwd=tmp_path, capture_output=True, text=True)

    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert {line.partition(":")[0] for line in errors} == {"wrong.py"}
    assert 'Unexpected keyword argument "scan_idd"' in done.stdout
    assert '"Scan" has no attribute "image_ulr"' in done.stdout
