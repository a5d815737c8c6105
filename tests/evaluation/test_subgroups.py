import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from dermaug.evaluation.malignancy import malignant_classes
from dermaug.evaluation.subgroups import (
    age_band_names,
    age_bands,
    image_tallies,
    supports,
    tally_rates,
)

CLASSES = ("bkl", "mel", "nv")


def test_tallies_add_up_to_scikit_learns_scores() -> None:
    random = np.random.default_rng(0)
    labels, probabilities = random.integers(0, 3, 90), random.dirichlet(np.ones(3), 90)
    called = probabilities.argmax(axis=1)
    counts = image_tallies(labels, probabilities, malignant_classes(CLASSES)).sum(axis=0)
    found = tally_rates(counts)
    expected = metrics.balanced_accuracy_score(labels, called)
    assert found["balanced_accuracy"] == pytest.approx(expected)
    assert found["malignant_sensitivity"] == pytest.approx(
        metrics.recall_score(labels == 1, called == 1)
    )
    assert found["malignant_specificity"] == pytest.approx(
        metrics.recall_score(labels != 1, called != 1)
    )
    malignant = int((labels == 1).sum())
    assert list(supports(counts).values()) == [90, malignant, 90 - malignant]


def test_a_group_without_malignant_images_has_no_sensitivity_to_them() -> None:
    counts = image_tallies(np.array([0, 2]), np.eye(3)[[0, 2]], malignant_classes(CLASSES))
    found = tally_rates(counts.sum(axis=0))
    assert np.isnan(found["malignant_sensitivity"])
    assert found["malignant_specificity"] == found["balanced_accuracy"] == 1.0
    nothing = image_tallies(np.array([0]), np.eye(3)[[0]], None).sum(axis=0)
    assert supports(nothing) == {
        "balanced_accuracy": 1, "malignant_sensitivity": 0, "malignant_specificity": 0
    }  # fmt: skip


@given(st.lists(st.floats(0.0, 120.0) | st.just(float("nan")), max_size=20))
def test_every_age_is_in_its_band(years: list[float]) -> None:
    starts = {"under 30": 0, "30–44": 30, "45–59": 45, "60–74": 60, "75 and over": 75}
    assert list(starts) == age_band_names()
    for age, band in zip(years, age_bands(np.array(years)), strict=True):
        if np.isnan(age):
            assert band == "unknown"
        else:
            assert band == max((s, name) for name, s in starts.items() if s <= age)[1]
