"""Trains the head from a file of features: `python -m vision_svc.model.train FEATURES.npz`.

The head is a linear softmax classifier on the backbone's features. It is small enough to be committed; the photos and
their features are not ours to hand on. See README.md beside this file for what it was trained on and how good it is.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

from vision_svc.model import FEATURE_SCALE, HEAD

_INVERSE_REGULARISATION = 0.03  # chosen by cross-validation; larger values learn the studio backgrounds
_FOLDS = 5


def train(features: NDArray[np.floating], labels: NDArray[np.str_]) -> Mapping[str, NDArray[np.generic]]:
    """Fits a head; the same input gives the same head.

    Args:
        features: One row of backbone features a photo, [photos, features].
        labels: The label of each row.

    Returns:
        `labels` [classes], sorted; `weights` float32 [classes, features]; `bias` float32 [classes].
    """
    model = _model().fit(_scaled(features), labels)
    return {
        "labels": model.classes_,
        "weights": model.coef_.astype(np.float32),
        "bias": model.intercept_.astype(np.float32),
    }


def cross_validated(features: NDArray[np.floating], labels: NDArray[np.str_]) -> float:
    """Share of photos labelled rightly by heads that never saw them, 0 to 1."""
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    return float(cross_val_score(_model(), _scaled(features), labels, cv=folds).mean())


def _model() -> LogisticRegression:
    return LogisticRegression(C=_INVERSE_REGULARISATION, class_weight="balanced", max_iter=2000)


def _scaled(features: NDArray[np.floating]) -> NDArray[np.float64]:
    wide = features.astype(np.float64)
    lengths: NDArray[np.float64] = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / lengths * FEATURE_SCALE


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m vision_svc.model.train", description=__doc__)
    parser.add_argument("features", type=Path, help="npz with X [photos, features] and y [photos]")
    parser.add_argument("--out", type=Path, default=HEAD, help="where the head goes")
    arguments = parser.parse_args()
    with np.load(arguments.features) as file:
        features, labels = file["X"], file["y"]
    print(f"{len(labels)} photos, {cross_validated(features, labels):.1%} right in {_FOLDS}-fold cross-validation")
    np.savez(arguments.out, allow_pickle=False, **train(features, labels))


if __name__ == "__main__":
    main()
