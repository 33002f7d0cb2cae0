"""Trains the heads from files of features: `python -m vision_svc.model.train LITE1.npz LITE2.npz`.

A head is a linear softmax classifier on a backbone's features. Heads are small enough to be committed; the photos and
their features are not ours to hand on. See README.md beside this file for what they were trained on and how good they
are.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from vision_svc.model import BACKBONES, FEATURE_SCALE, HEADS

_INVERSE_REGULARISATION = 0.03  # chosen by cross-validation; larger values learn the studio backgrounds
_FOLDS = 5


def train(features: NDArray[np.floating], labels: NDArray[np.str_]) -> Mapping[str, NDArray[np.generic]]:
    """Fits a head for each backbone; the same input gives the same heads.

    Args:
        features: One row of features a photo from each backbone, [backbones, photos, features].
        labels: The label of each photo.

    Returns:
        `labels` [classes], sorted; `weights` float32 [backbones, classes, features]; `bias` float32 [backbones,
        classes].
    """
    models = [_model().fit(_scaled(of_one), labels) for of_one in features]
    return {
        "labels": models[0].classes_,
        "weights": np.stack([model.coef_.astype(np.float32) for model in models]),
        "bias": np.stack([model.intercept_.astype(np.float32) for model in models]),
    }


def cross_validated(features: NDArray[np.floating], labels: NDArray[np.str_]) -> float:
    """Share of photos labelled rightly by the mean of heads that never saw them, 0 to 1."""
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    beliefs = [
        cross_val_predict(_model(), _scaled(of_one), labels, cv=folds, method="predict_proba") for of_one in features
    ]
    said = np.unique(labels)[np.mean(beliefs, axis=0).argmax(axis=1)]
    return float((said == labels).mean())


def _model() -> LogisticRegression:
    return LogisticRegression(C=_INVERSE_REGULARISATION, class_weight="balanced", max_iter=2000)


def _scaled(features: NDArray[np.floating]) -> NDArray[np.float64]:
    wide = features.astype(np.float64)
    lengths: NDArray[np.float64] = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / lengths * FEATURE_SCALE


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m vision_svc.model.train", description=__doc__)
    parser.add_argument(
        "features",
        type=Path,
        nargs=len(BACKBONES),
        help="npz with X [photos, features] and y [photos]: the same photos, seen by each backbone",
    )
    parser.add_argument("--out", type=Path, default=HEADS, help="where the heads go")
    arguments = parser.parse_args()
    features, labels = _read(arguments.features)
    print(f"{len(labels)} photos, {cross_validated(features, labels):.1%} right in {_FOLDS}-fold cross-validation")
    np.savez(arguments.out, allow_pickle=False, **train(features, labels))


def _read(files: Sequence[Path]) -> tuple[NDArray[np.floating], NDArray[np.str_]]:
    features, labels = [], []
    for file in files:
        with np.load(file) as arrays:
            features.append(arrays["X"])
            labels.append(arrays["y"])
    if any(not np.array_equal(labels[0], others) for others in labels):
        raise SystemExit("The files hold features of different photos, or in another order.")
    return np.stack(features), labels[0]


if __name__ == "__main__":
    main()
