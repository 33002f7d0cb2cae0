"""What docs/internal-teams.md tells another team to paste, pasted."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "internal-teams.md").read_text(encoding="utf-8")
BLOCKS = [(found[1], found[2]) for found in re.finditer(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]
SHELL, PYTHON = ([code for language, code in BLOCKS if language == each] for each in ("sh", "python"))
(ADDRESSES, ALONE, LISTED) = SHELL
PORT = "50061"  # the page's; here any that is free


@pytest.fixture
def repository(stack: Mapping[str, str], tmp_path: Path) -> Path:
    """A folder like the repository's, whose var is the running stack's."""
    (tmp_path / "var").symlink_to(stack["VAR"])
    for name in (".venv", "protos", "third_party", "gen"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def pasted(command: str, folder: Path) -> subprocess.Popen[str]:
    """A shell that runs it; the shell itself is gone once the last command runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ECO2_")}
    environment["PYTHONPATH"] = str(ROOT)
    *before, last = command.strip().splitlines()
    script = "\n".join(["set -e", *before, f"exec env {last}"])
    return subprocess.Popen(
        ["sh", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def printed(command: str, folder: Path) -> str:
    """What it prints.

    Raises:
        AssertionError: It fails.
    """
    shell = pasted(command, folder)
    output, _ = shell.communicate(timeout=60)
    assert shell.returncode == 0, output
    return output


SHOWN = ["Milk carton", "NOT_FOUND CATEGORY_UNKNOWN"]


@pytest.mark.parametrize(("code", "shown"), [*zip(PYTHON, SHOWN, strict=True)], ids=["edge", "service"])
def test_the_pages_python_runs(code: str, shown: str, repository: Path) -> None:
    """After the addresses are told to the shell."""
    (repository / "pasted.py").write_text(code, encoding="utf-8")

    assert shown in printed(f"{ADDRESSES}\n{sys.executable} pasted.py", repository)


def test_one_service_runs_alone(repository: Path) -> None:
    """Its tables made, beside whatever else runs; it answers, and says what it serves."""
    port = str(free_port())
    service = pasted(ALONE.replace(PORT, port), repository)
    try:
        wait_until_it_serves(f"127.0.0.1:{port}", service)
        assert "eco2.rules.v1.RulesService/SearchItems" in printed(LISTED.replace(PORT, port), repository)
    finally:
        service.terminate()
        service.communicate(timeout=60)


def wait_until_it_serves(target: str, service: subprocess.Popen[str]) -> None:
    """Returns once the service says that it serves.

    Raises:
        AssertionError: It ended before.
    """
    request = health_pb2.HealthCheckRequest(service="eco2.rules.v1.RulesService")
    with grpc.insecure_channel(target) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)  # its type stubs leave Watch out
        while True:
            assert service.poll() is None, service.communicate()[0]
            with contextlib.suppress(grpc.RpcError):
                for state in health.Watch(request, wait_for_ready=True, timeout=5):
                    if state.status == health_pb2.HealthCheckResponse.SERVING:
                        return
