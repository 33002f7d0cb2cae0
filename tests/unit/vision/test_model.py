"""The model's files can be made again, and nothing else can take their place."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vision_svc.classifiers.labels import KINDS
from vision_svc.classifiers.onnx_runtime import onnxruntime
from vision_svc.model import BACKBONE_SHA256, HEAD, IMAGE_SIZE, convert, train


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backbone, built from the wheel."""
    target = tmp_path_factory.mktemp("model") / "new" / "backbone.onnx"
    assert convert.convert(target)
    return target


def test_the_backbone_is_built_to_the_byte(built: Path) -> None:
    """The pinned digest is what was measured; nothing but the file is left behind."""
    assert convert.sha256(built.read_bytes()) == BACKBONE_SHA256
    assert list(built.parent.iterdir()) == [built]


def test_a_backbone_that_is_right_is_left_alone(built: Path) -> None:
    """Set-up runs it every time."""
    before = built.stat().st_mtime_ns
    assert not convert.convert(built)
    assert built.stat().st_mtime_ns == before


def test_a_backbone_that_is_wrong_is_replaced(built: Path, tmp_path: Path) -> None:
    """Half a download, an older version."""
    target = tmp_path / "backbone.onnx"
    target.write_bytes(built.read_bytes()[:1000])
    assert convert.convert(target)
    assert convert.sha256(target.read_bytes()) == BACKBONE_SHA256


def test_an_unexpected_result_is_not_put_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another onnx could write other bytes; then the measurements don't hold."""
    monkeypatch.setattr(convert, "BACKBONE_SHA256", "0" * 64)
    with pytest.raises(convert.DigestMismatch):
        convert.convert(tmp_path / "backbone.onnx")
    assert not list(tmp_path.iterdir())


def test_doing_nothing_is_quick(built: Path) -> None:
    """The heavy imports are for building only."""
    script = f"import sys; from vision_svc.model.convert import main; sys.argv[1:] = ['--out', {str(built)!r}]; main()"
    check = f"{script}; assert not {{'onnx', 'numpy'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, timeout=30)


def test_the_backbone_takes_several_pictures_at_once(built: Path) -> None:
    """And gives each the answer it would give alone."""
    session = onnxruntime.InferenceSession(built, providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).normal(size=(2, 3, IMAGE_SIZE, IMAGE_SIZE)).astype(np.float32)
    logits, features = session.run(["logits", "features"], {"image": images})
    assert (logits.shape, features.shape) == ((2, 1000), (2, 1280))
    alone, _ = session.run(["logits", "features"], {"image": images[1:]})
    np.testing.assert_allclose(alone[0], logits[1], atol=1e-4)


def test_the_head_knows_only_labels_with_a_meaning() -> None:
    """The committed file, as it is loaded."""
    with np.load(HEAD) as head:
        assert set(head["labels"].tolist()) <= set(KINDS)
        assert head["weights"].shape == (len(head["labels"]), 1280)
        assert head["bias"].shape == (len(head["labels"]),)


def test_training_learns_and_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three clouds of features are told apart, and the file is the same each time, to the byte."""
    random = np.random.default_rng(0)
    labels = np.array(["glass", "metal", "paper"]).repeat(20)
    features = (np.eye(3).repeat(20, axis=0) + random.normal(scale=0.1, size=(60, 3))).astype(np.float16)
    np.savez(tmp_path / "features.npz", X=features, y=labels)
    heads = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for head in heads:
        monkeypatch.setattr(sys, "argv", ["train", str(tmp_path / "features.npz"), "--out", str(head)])
        train.main()
    assert heads[0].read_bytes() == heads[1].read_bytes()
    with np.load(heads[0]) as head:
        scores = features @ head["weights"].T + head["bias"]
        assert (head["labels"][scores.argmax(axis=1)] == labels).all()
    assert train.cross_validated(features, labels) == 1.0
