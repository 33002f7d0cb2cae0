"""Envoy understands the words it is started with in a cluster."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from helm.tool import ROOT, helm
from local.stack import envoy

CONFIGURATION = "{admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}}"


pytestmark = pytest.mark.slow  # Helm itself is fetched


@pytest.fixture(scope="module")
def containers() -> list[dict[str, Any]]:
    """Those that run Envoy, the operators' included."""
    values = ROOT / "helm" / "profiles" / "production.yaml"
    rendered = subprocess.run(
        [helm(), "template", "eco2", ROOT / "helm", "-f", values], capture_output=True, check=True
    )
    deployments = [each for each in yaml.safe_load_all(rendered.stdout) if each and each["kind"] == "Deployment"]
    specifications = [each["spec"]["template"]["spec"] for each in deployments]
    return [found for pod in specifications for found in pod["containers"] if found["command"] == ["envoy"]]


def test_its_arguments_are_options_of_its_own(containers: list[dict[str, Any]], tmp_path: Path) -> None:
    """It takes no option as one word with its value: `--concurrency=2` ended each edge at its start."""
    configuration = tmp_path / "envoy.yaml"
    configuration.write_text(CONFIGURATION, "utf-8")
    assert len(containers) == 2
    for container in containers:
        words = [str(configuration) if word.startswith("/etc/eco2") else word for word in container["args"]]
        done = subprocess.run([envoy.binary(), "--mode", "validate", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
