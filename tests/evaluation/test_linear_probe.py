"""A linear SVM on features: separable classes, noise, rotations and unequal classes."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.svm import LinearSVC

from dermaug.errors import DermaugError
from dermaug.evaluation.linear_probe import linear_probe


def clouds(number: int, dimensions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(number) % 3
    centres = 3.0 * np.random.default_rng(9).normal(size=(3, dimensions))
    return centres[labels] + random.normal(size=(number, dimensions)), labels


def test_separable_classes_are_told_apart() -> None:
    asked, truth = clouds(45, 20, 2)
    found = linear_probe(*clouds(90, 20, 0), *clouds(60, 20, 1), asked)
    assert found.balanced_accuracy == 1.0
    np.testing.assert_array_equal(found.called, truth)


def test_noise_is_not() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(120) % 3
    found = linear_probe(
        random.normal(size=(120, 30)), labels, random.normal(size=(120, 30)), labels,
        random.normal(size=(120, 30)),
    )  # fmt: skip
    assert abs(balanced_accuracy_score(labels, found.called) - 1 / 3) < 0.15


def test_c_is_chosen_by_one_half_and_judged_by_the_other() -> None:
    """On noise the best of several machines looks good where it was chosen, and only there."""
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    chosen, judged = [], []
    for _ in range(150):
        known, choosing, other = random.normal(size=(3, 60, 30))
        found = linear_probe(known, labels, choosing, labels, other)
        chosen.append(found.balanced_accuracy)
        judged.append(balanced_accuracy_score(labels, found.called))
    error = np.std(judged) / np.sqrt(len(judged))
    assert abs(np.mean(judged) - 1 / 3) < 3 * error
    assert np.mean(chosen) - 1 / 3 > 3 * error


def test_more_features_than_images_give_the_machine_of_scikit_learn() -> None:
    (known, labels), (asked, truth) = clouds(40, 300, 0), clouds(60, 300, 1)
    known, asked = known + 5.0, asked + 5.0
    found = linear_probe(known, labels, asked, truth, asked, penalties=(1e-3,))
    scale = (known - known.mean(0)) / known.std(0), (asked - known.mean(0)) / known.std(0)
    plain = LinearSVC(C=1e-3, class_weight="balanced", tol=1e-4).fit(scale[0], labels)
    np.testing.assert_array_equal(found.called, plain.predict(scale[1]))


def test_rare_classes_weigh_as_much_as_common_ones() -> None:
    random = np.random.default_rng(0)
    labels = np.array([0] * 190 + [1] * 10)
    features = random.normal(size=(200, 4)) + 1.5 * labels[:, None]
    found = linear_probe(features, labels, features, labels, features)
    assert (found.called[labels == 1] == 1).mean() > 0.8


def test_one_class_is_refused() -> None:
    with pytest.raises(DermaugError, match="at least two classes"):
        linear_probe(
            np.ones((4, 2)), np.zeros(4, int), np.ones((2, 2)), np.zeros(2, int), np.ones((2, 2))
        )


def test_nothing_to_judge_is_refused() -> None:
    (known, labels), (asked, truth) = clouds(9, 2, 0), clouds(6, 2, 1)
    with pytest.raises(DermaugError, match="6 images to choose C and 0 to evaluate"):
        linear_probe(known, labels, asked, truth, asked[:0])
