"""The template as Envoy reads it."""

import asyncio
import os
from pathlib import Path

from tests.support.edge.envoy import Issuer, binary, render
from tests.support.ports import free_port


async def test_envoy_accepts_the_template(tmp_path: Path) -> None:
    """What `make check` also asks, here with a message that says why not."""
    config = tmp_path / "edge.yaml"
    rendered = render(Issuer(), rest_port=free_port(), services_port=free_port())
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
