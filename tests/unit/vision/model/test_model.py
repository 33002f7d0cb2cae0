"""The model's files can be made again, and nothing else can take their place."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vision_svc.classifiers.labels import KINDS
from vision_svc.classifiers.onnx_runtime import onnxruntime
from vision_svc.model import BACKBONES, HEADS, MODEL_SHA256, Backbone, convert


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backbone, built from the wheel."""
    target = tmp_path_factory.mktemp("model") / "new" / "backbone.onnx"
    assert convert.convert(target)
    return target


def test_the_backbone_is_built_to_the_byte(built: Path) -> None:
    """The pinned digest is what was measured; nothing but the file is left behind."""
    assert convert.sha256(built.read_bytes()) == MODEL_SHA256
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
    assert convert.sha256(target.read_bytes()) == MODEL_SHA256


def test_an_unexpected_result_is_not_put_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another onnx could write other bytes; then the measurements don't hold."""
    monkeypatch.setattr(convert, "MODEL_SHA256", "0" * 64)
    with pytest.raises(convert.DigestMismatch):
        convert.convert(tmp_path / "backbone.onnx")
    assert not list(tmp_path.iterdir())


def test_doing_nothing_is_quick(built: Path) -> None:
    """The heavy imports are for building only."""
    script = f"import sys; from vision_svc.model.convert import main; sys.argv[1:] = ['--out', {str(built)!r}]; main()"
    check = f"{script}; assert not {{'onnx', 'numpy'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda backbone: backbone.name)
def test_a_backbone_takes_several_pictures_at_once(built: Path, backbone: Backbone) -> None:
    """And gives each the answer it would give alone, whatever the other backbone sees."""
    session = onnxruntime.InferenceSession(built, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    images = {
        f"{one.name}.image": random.normal(size=(2, 3, one.side, one.side)).astype(np.float32) for one in BACKBONES
    }
    outputs = [f"{backbone.name}.logits", f"{backbone.name}.features"]
    logits, features = session.run(outputs, images)
    assert (logits.shape, features.shape) == ((2, 1000), (2, 1280))
    alone, _ = session.run(outputs, {name: image[1:] for name, image in images.items()})
    np.testing.assert_allclose(alone[0], logits[1], atol=1e-4)


def test_the_heads_know_only_labels_with_a_meaning() -> None:
    """The committed file, as it is loaded."""
    with np.load(HEADS) as heads:
        assert set(heads["labels"].tolist()) <= set(KINDS)
        assert heads["weights"].shape == (len(BACKBONES), len(heads["labels"]), 1280)
        assert heads["bias"].shape == (len(BACKBONES), len(heads["labels"]))


def _features(folder: Path, labels: NDArray[np.str_]) -> list[str]:
    """Files of three clouds of features, as each backbone might see them."""
    random = np.random.default_rng(0)
    for backbone in BACKBONES:
        clouds = np.eye(3).repeat(20, axis=0) + random.normal(scale=0.1, size=(60, 3))
        np.savez(folder / f"{backbone.name}.npz", X=clouds.astype(np.float16), y=labels)
    return [str(folder / f"{backbone.name}.npz") for backbone in BACKBONES]


def test_training_learns_and_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clouds are told apart, and the file is the same each time, to the byte."""
    from vision_svc.model import train  # not at the top: scikit-learn takes every worker two seconds

    labels = np.array(["glass", "metal", "paper"]).repeat(20)
    files = _features(tmp_path, labels)
    heads = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for head in heads:
        monkeypatch.setattr(sys, "argv", ["train", *files, "--out", str(head)])
        train.main()
    assert heads[0].read_bytes() == heads[1].read_bytes()
    features = np.stack([np.load(file)["X"] for file in files])
    with np.load(heads[0]) as learnt:
        scores = features @ learnt["weights"].transpose(0, 2, 1) + learnt["bias"][:, np.newaxis]
        assert (learnt["labels"][scores.argmax(axis=2)] == labels).all()
    assert train.cross_validated(features, labels) == 1.0


def test_features_of_other_photos_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mixed up, the two heads would be trained on different photos and nobody would notice."""
    from vision_svc.model import train

    first, second = _features(tmp_path, np.array(["glass", "metal", "paper"]).repeat(20))
    with np.load(second) as file:
        np.savez(second, X=file["X"], y=file["y"][::-1])
    monkeypatch.setattr(sys, "argv", ["train", first, second, "--out", str(tmp_path / "heads.npz")])
    with pytest.raises(SystemExit, match="different photos"):
        train.main()
    assert not (tmp_path / "heads.npz").exists()
