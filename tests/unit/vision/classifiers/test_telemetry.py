"""What our dependencies tell their makers: nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.vision.classifiers.name_lookups import NAMESPACES
from vision_svc.model import MODEL
from vision_svc.model.convert import convert

ROOT = Path(__file__).parents[4]
_RECORDER = Path(__file__).with_name("name_lookups.py")
# The service's own code path, then until it is told to end.
_LOADS = """
import sys
from pathlib import Path
from vision_svc.classifiers.offline import OfflineClassifier
OfflineClassifier.load(Path(sys.argv[1]))
print("loaded", flush=True)
sys.stdin.read()
"""
_SECONDS = 8.0  # told, onnxruntime has asked for its maker's address after 6


def test_the_offline_model_leaves_no_file_and_asks_for_nobody(tmp_path: Path) -> None:
    """onnxruntime makes a file that identifies the machine, and sends usage events, unless it is kept from it."""
    if subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    convert(MODEL)
    home = tmp_path / "home"
    home.mkdir()
    command = [
        *NAMESPACES,
        sys.executable,
        str(_RECORDER),
        str(_SECONDS),
        sys.executable,
        "-c",
        _LOADS,
    ]
    environment = {"HOME": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)}
    heard = subprocess.run(
        [*command, str(MODEL)], env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert heard.stdout.split("\n") == ["loaded", ""]
    assert not list(home.rglob("*"))


def test_every_pod_is_told() -> None:
    """Also one that imports onnxruntime in a way of its own."""
    assert "name: ORT_DISABLE_TELEMETRY" in (ROOT / "helm/templates/_env.tpl").read_text("utf-8")
