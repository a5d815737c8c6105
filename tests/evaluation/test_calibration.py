import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from dermaug.errors import DermaugError
from dermaug.evaluation.calibration import (
    TEMPERATURES,
    brier_score,
    calibration_scores,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability_bins,
    with_temperature,
)


def calibrated(number: int, seed: int = 0, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from the probabilities themselves: calibrated by construction."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(classes, 0.6), number)
    labels = (random.random(number)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1)
    return np.minimum(labels, classes - 1), probabilities


def reference_ece(labels: np.ndarray, probabilities: np.ndarray, bins: int) -> float:
    """Guo et al. 2017, equation 3, image by image in plain Python."""
    total = 0.0
    for index in range(bins):
        inside = [
            (float(row.max()), int(row.argmax()) == label)
            for row, label in zip(probabilities, labels, strict=True)
            if index / bins < row.max() <= (index + 1) / bins
        ]
        if inside:
            confidence = sum(one for one, _ in inside) / len(inside)
            accuracy = sum(right for _, right in inside) / len(inside)
            total += len(inside) / len(labels) * abs(confidence - accuracy)
    return total


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_ece_is_that_of_the_paper(bins: int) -> None:
    labels, probabilities = calibrated(300, seed=bins)
    sharp = with_temperature(probabilities, 0.5)
    expected = reference_ece(labels, sharp, bins)
    assert expected_calibration_error(labels, sharp, bins) == pytest.approx(expected)
    table = reliability_bins(labels, sharp, bins)
    assert table["images"].sum() == 300
    assert len(table) == bins


def test_brier_and_nll_agree_with_scikit_learn() -> None:
    labels, probabilities = calibrated(200)
    by_class = [
        metrics.brier_score_loss(labels == index, probabilities[:, index]) for index in range(4)
    ]
    assert brier_score(labels, probabilities) == pytest.approx(sum(by_class))
    expected = metrics.log_loss(labels, probabilities, labels=range(4))
    assert negative_log_likelihood(labels, probabilities) == pytest.approx(expected)


@given(st.integers(2, 6), st.integers(1, 40), st.integers(0, 2**16))
@settings(max_examples=30, deadline=None)
def test_the_order_of_images_changes_nothing(classes: int, number: int, seed: int) -> None:
    labels, probabilities = calibrated(number, seed, classes)
    order = np.random.default_rng(seed).permutation(number)
    first = calibration_scores(labels, probabilities)
    assert calibration_scores(labels[order], probabilities[order]) == pytest.approx(first)
    assert 0.0 <= first["ece"] <= 1.0
    assert 0.0 <= first["brier"] <= 2.0


def test_a_perfect_classifier_has_no_error() -> None:
    labels = np.arange(12) % 3
    scores = calibration_scores(labels, np.eye(3)[labels])
    assert scores == pytest.approx({"ece": 0.0, "brier": 0.0, "nll": 0.0})
    wrong = calibration_scores(labels, np.eye(3)[(labels + 1) % 3])
    assert (wrong["ece"], wrong["brier"]) == pytest.approx((1.0, 2.0))
    assert np.isfinite(wrong["nll"])


@pytest.mark.parametrize("heat", [0.4, 1.0, 2.5])
def test_the_temperature_that_was_applied_is_found_again(heat: float) -> None:
    labels, probabilities = calibrated(8_000, seed=1)
    distorted = with_temperature(probabilities, heat)
    found = fit_temperature(labels, distorted)
    assert found == pytest.approx(1.0 / heat, rel=0.06)
    repaired = calibration_scores(labels, with_temperature(distorted, found))
    before = calibration_scores(labels, distorted)
    assert repaired["ece"] < 0.02
    assert repaired["nll"] <= before["nll"]
    if heat != 1.0:
        assert repaired["ece"] < 0.5 * before["ece"]


@given(st.floats(*TEMPERATURES), st.integers(0, 2**16))
@settings(max_examples=30, deadline=None)
def test_a_temperature_keeps_the_order_of_classes(temperature: float, seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(5), 10)
    scaled = with_temperature(probabilities, temperature)
    np.testing.assert_allclose(scaled.sum(axis=1), 1.0)
    assert (scaled.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    back = with_temperature(scaled, 1.0 / temperature)
    if temperature > 0.5:  # below, small probabilities underflow their floor
        np.testing.assert_allclose(back, probabilities, atol=1e-6)


def test_no_images_are_undefined_and_nonsense_is_refused() -> None:
    nothing = (np.empty(0, dtype=np.int64), np.empty((0, 3)))
    assert all(np.isnan(value) for value in calibration_scores(*nothing).values())
    assert np.isnan(fit_temperature(*nothing))
    with pytest.raises(DermaugError, match="expected labels 0 to 2, found 3"):
        brier_score(np.array([3]), np.eye(3)[:1])
    with pytest.raises(DermaugError, match="expected finite probabilities"):
        expected_calibration_error(np.array([0]), np.full((1, 3), np.nan))
