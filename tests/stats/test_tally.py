import numpy as np
import pytest
from sklearn import metrics

from dermaug.evaluation.discrimination import rates as rates_of_counts
from dermaug.evaluation.discrimination import sensitivities, specificities
from dermaug.stats.tally import asked_of, metric_names, rates, right_of


def drawn(num_classes: int = 4, number: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels, called = random.integers(num_classes, size=(2, number))
    called = np.where(random.random(number) < 0.5, labels, called)
    return labels, called, random.integers(60, size=number)


def test_rates_are_those_of_the_confusion_matrix() -> None:
    labels, called, lesions = drawn()
    right, asked = right_of(labels, called, lesions, (60, 4)), asked_of(labels, lesions, (60, 4))
    found = dict(
        zip(metric_names("abcd"), rates(right.sum(axis=0), asked.sum(axis=0)).tolist(), strict=True)
    )
    counts = metrics.confusion_matrix(labels, called)
    for metric, value in rates_of_counts(counts).items():
        assert found["all", metric] == pytest.approx(float(value))
    for index, label in enumerate("abcd"):
        assert found[label, "sensitivity"] == pytest.approx(sensitivities(counts)[index])
        assert found[label, "specificity"] == pytest.approx(specificities(counts)[index])
    expected = metrics.balanced_accuracy_score(labels, called)
    assert found["all", "balanced_accuracy"] == pytest.approx(expected)


def test_each_lesion_counts_its_own_images() -> None:
    labels, called, lesions = drawn()
    right, asked = right_of(labels, called, lesions, (60, 4)), asked_of(labels, lesions, (60, 4))
    for lesion in (0, 17, 59):
        mine = lesions == lesion
        for index in range(4):
            own = labels[mine] == index
            assert asked[lesion, :, index].tolist() == [own.sum(), (~own).sum()]
            hits = (called[mine][own] == index).sum()
            assert right[lesion, :, index].tolist() == [hits, (called[mine][~own] != index).sum()]


def test_a_class_without_images_is_undefined_and_left_out_of_means() -> None:
    labels, called, lesions = np.array([0, 0, 1]), np.array([0, 2, 1]), np.array([0, 1, 2])
    right, asked = (
        part.sum(axis=0)
        for part in (
            right_of(labels, called, lesions, (3, 3)),
            asked_of(labels, lesions, (3, 3)),
        )
    )
    found = dict(zip(metric_names("abc"), rates(right, asked).tolist(), strict=True))
    assert np.isnan(found["c", "sensitivity"])
    assert found["all", "balanced_accuracy"] == pytest.approx((0.5 + 1.0) / 2)
    assert found["all", "mean_specificity"] == pytest.approx(1.0)
    assert found["c", "specificity"] == pytest.approx(2 / 3)
    assert np.isnan(rates(np.zeros((2, 3)), np.zeros((2, 3)))).all()


def test_stacks_of_questions_are_rated_one_by_one() -> None:
    random = np.random.default_rng(1)
    asked = random.integers(0, 4, size=(5, 2, 3)).astype(float)
    right = np.floor(asked * random.random(asked.shape))
    together = rates(right, asked)
    for index in range(5):
        np.testing.assert_array_equal(together[index], rates(right[index], asked[index]))
