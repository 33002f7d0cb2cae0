"""What the doctor finds."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.cli.embedded import doctor
from local.files import write_env
from local.stack import envoy
from local.stack.ports import HOST


async def test_nothing_is_wrong_with_this_installation(tmp_path: Path) -> None:
    """The suite runs on what `make setup` installed; a doctor who complains there is wrong."""
    with socket.create_server((HOST, 0)) as server:
        free = server.getsockname()[1]
    assert [finding.name for finding in await doctor.examine(tmp_path, free) if finding.trouble] == []


async def test_a_taken_port_comes_with_a_remedy(tmp_path: Path) -> None:
    """The commonest reason for a stack that doesn't start."""
    with socket.create_server((HOST, 0)) as server:
        findings = await doctor.examine(tmp_path, server.getsockname()[1])
    troubles = [(finding.name, bool(finding.remedy)) for finding in findings if finding.trouble]
    assert troubles == [("REST port", True)]


async def test_a_missing_file_comes_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an installation is told from a whole one."""
    monkeypatch.setattr(envoy, "DESCRIPTORS", tmp_path / "nowhere")
    findings = await doctor.examine(tmp_path, 0)
    assert [(each.name, bool(each.remedy)) for each in findings if each.trouble] == [("descriptor set", True)]


async def test_servers_that_are_gone_are_named(tmp_path: Path) -> None:
    """The supervisor lives, they don't; and what gRPC says of itself is cut to a line."""
    with socket.create_server((HOST, 0)) as server:
        closed = f"{HOST}:{server.getsockname()[1]}"
    write_env(
        tmp_path / "stack.env",
        {
            "ECO2_SUPERVISOR": str(os.getpid()),
            "ECO2_DATABASE_URL": f"postgresql://eco2:x@{closed}/eco2",
            "ECO2_REDIS_URL": f"redis://{closed}/0",
            "ECO2_S3_ENDPOINT": f"http://{closed}",
            "ECO2_S3_ACCESS_KEY": "key",
            "ECO2_S3_SECRET_KEY": "secret",
            "ECO2_SCAN_TARGET": closed,
        },
    )
    findings = await doctor.examine(tmp_path, 0)
    troubled = {finding.name for finding in findings if finding.trouble}
    assert troubled == {"running postgres", "running valkey", "running seaweedfs", "running scan"}
    assert not [finding.trouble for finding in findings if "AioRpcError" in finding.trouble]


def test_a_killed_stack_is_no_trouble(tmp_path: Path) -> None:
    """Its address file would lie about every server; what there is to do is to start one."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    write_env(tmp_path / "stack.env", {"ECO2_SUPERVISOR": str(gone.pid), "ECO2_SCAN_TARGET": f"{HOST}:1"})
    findings = asyncio.run(doctor.examine(tmp_path, 0))
    assert not [finding for finding in findings if finding.trouble]
    assert findings[-1].name == "stack"
