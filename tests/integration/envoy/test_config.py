"""The template as Envoy reads it."""

import asyncio
import os
from pathlib import Path

import pytest

from local.stack.envoy import plain_text
from tests.support.edge.envoy import Issuer, binary, render
from tests.support.mutual_tls import MutualTls
from tests.support.ports import free_port


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "mutual TLS"])
async def test_envoy_accepts_the_template(tls: bool, mutual_tls: MutualTls, tmp_path: Path) -> None:
    """What `make check` also asks, here with a message that says why not."""
    config = tmp_path / "edge.yaml"
    upstream = mutual_tls.edge(tmp_path) if tls else plain_text()
    rendered = render(Issuer(), rest_port=free_port(), services_port=free_port(), tls=upstream)
    config.write_text(rendered, encoding="utf-8")

    process = await asyncio.create_subprocess_exec(
        binary(),
        *("--mode", "validate", "-c", config, "--log-level", "error"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.defpath},
    )
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
