from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dermaug.errors import DermaugError
from dermaug.stats.bootstrap import percentile_interval
from dermaug.stats.hierarchy import estimate_all
from dermaug.stats.trainings import (
    CLASSIFIERS,
    GENERATORS,
    LESIONS_ONLY,
    FoldSample,
    levels_of,
    training_means,
    training_variance,
)

ACCURACY = 2


def one_class_samples(values: np.ndarray) -> dict[int, FoldSample]:
    """Fold -> lesions with one image each of class 0, and any gains (folds, seeds, lesions)."""
    samples = {}
    for fold, gains in enumerate(values):
        right = np.zeros((*gains.shape, 2, 2))
        right[..., 0, 0] = gains
        asked = np.broadcast_to([[1.0, 0.0], [0.0, 1.0]], right.shape[1:])
        samples[fold] = FoldSample(asked, right, np.zeros(len(gains), dtype=int))
    return samples


def test_the_variance_is_that_of_two_crossed_random_effects() -> None:
    random = np.random.default_rng(0)
    folds, seeds, lesions = 40, 3, 50
    sizes = {"lesion": 1.0, "training": 0.2, "both": 0.8}
    gains = (
        random.normal(size=(folds, 1, lesions)) * sizes["lesion"]
        + random.normal(size=(folds, seeds, 1)) * sizes["training"]
        + random.normal(size=(folds, seeds, lesions)) * sizes["both"]
    )
    estimate = estimate_all([one_class_samples(gains)], 4_000)[0]
    analytic = (
        sizes["lesion"] ** 2 / lesions
        + sizes["training"] ** 2 / seeds
        + sizes["both"] ** 2 / (lesions * seeds)
    ) / folds
    assert estimate.value[ACCURACY] == pytest.approx(gains.mean())
    assert estimate.standard_error[ACCURACY] ** 2 == pytest.approx(analytic, rel=0.15)
    assert estimate.freedom == folds * (seeds - 1)
    spread = estimate.draws[:, ACCURACY].var()
    assert spread == pytest.approx(estimate.standard_error[ACCURACY] ** 2, rel=0.1)


def test_training_variance_agrees_with_an_analysis_of_variance_by_hand() -> None:
    gains = np.random.default_rng(1).normal(size=(2, 3, 7))  # folds, seeds, lesions
    right = [sample.right for sample in one_class_samples(gains).values()]
    weights = np.zeros((1, 2, 2))
    weights[0, 0, 0] = 1 / 14  # the mean over all lesions
    found = training_variance(right, weights)
    total, crossed = 0.0, 0.0
    for fold in gains:
        grand = fold.mean()
        between = sum((row.mean() - grand) ** 2 for row in fold) / 2
        left = 0.0
        for seed in range(3):
            for lesion in range(7):
                expected = fold[seed].mean() + fold[:, lesion].mean() - grand
                left += (fold[seed, lesion] - expected) ** 2
        total += between / 3 / 4  # a fold is half of the lesions
        crossed += left / (2 * 6) / (3 * 7) / 4
    assert found.total[0] == pytest.approx(total)
    assert found.interaction[0] == pytest.approx(crossed)
    assert found.freedom == 4


def test_classifiers_of_one_generator_are_one_training() -> None:
    gains = np.random.default_rng(2).normal(size=(1, 5, 6))
    sample = replace(one_class_samples(gains)[0], generator=np.array([0, 1, 0, 1, 0]))
    assert levels_of([sample]) == GENERATORS
    means = training_means(sample, GENERATORS)[..., 0, 0]
    np.testing.assert_allclose(means, [gains[0, ::2].mean(axis=0), gains[0, 1::2].mean(axis=0)])
    estimate = estimate_all([{0: sample}], 50)[0]
    assert (estimate.freedom, estimate.levels) == (1, GENERATORS)
    assert estimate.value[ACCURACY] == pytest.approx(means.mean())


def test_what_varies_is_named() -> None:
    gains = np.random.default_rng(3).normal(size=(2, 2, 6))
    twice = one_class_samples(gains)
    assert estimate_all([twice], 50)[0].levels == CLASSIFIERS
    once = one_class_samples(gains[:, :1])
    estimate = estimate_all([once], 50)[0]
    assert (estimate.levels, estimate.freedom) == (LESIONS_ONLY, 0)
    mixed = {0: once[0], 1: twice[1]}  # an unfinished run: fold 0 borrows the spread of fold 1
    assert estimate_all([mixed], 50)[0].freedom == 1


def test_networks_that_agree_leave_lesions_alone_to_vary() -> None:
    once = np.random.default_rng(4).normal(size=(3, 1, 30))
    one, three = (
        estimate_all([one_class_samples(gains)], 500)[0] for gains in (once, once.repeat(3, axis=1))
    )
    np.testing.assert_allclose(three.draws[:, ACCURACY], one.draws[:, ACCURACY], atol=1e-6)


def test_equal_arms_differ_by_exactly_nothing(design: Callable[..., Any]) -> None:
    folds = design().draw(np.random.default_rng(5))
    equal = {fold: replace(sample, right=0 * sample.right) for fold, sample in folds.items()}
    estimate = estimate_all([equal, folds], 100)[0]
    assert (estimate.draws == 0).all()
    assert (estimate.standard_error == 0).all()


def test_comparisons_share_lesions_and_may_lack_folds(design: Callable[..., Any]) -> None:
    folds = design(folds=3, seeds=1).draw(np.random.default_rng(6))
    doubled = {fold: replace(each, right=2 * each.right) for fold, each in folds.items()}
    one, two, part = estimate_all([folds, doubled, {1: folds[1]}], 200)
    np.testing.assert_allclose(two.draws, 2 * one.draws, atol=1e-6)
    alone = estimate_all([{1: folds[1]}], 200)[0]
    np.testing.assert_allclose(part.value, alone.value)
    assert percentile_interval(part.draws[:, 0])[0] < percentile_interval(one.draws[:, 0])[0]


def test_trainings_of_two_comparisons_vary_independently() -> None:
    # Lesions all alike: what is left is the training part.
    gains = np.random.default_rng(9).normal(size=(2, 2, 3, 1)).repeat(40, axis=3)
    one, two = estimate_all([one_class_samples(each) for each in gains], 4_000)
    pair = np.stack([each.draws[:, ACCURACY] for each in (one, two)])
    assert (pair.std(axis=1) > 0.1).all()
    assert abs(np.corrcoef(pair)[0, 1]) < 0.1
    again = estimate_all([one_class_samples(gains[1])], 4_000)[0]
    np.testing.assert_allclose(again.draws, two.draws, atol=1e-5)


def test_swapping_the_arms_mirrors_the_interval(design: Callable[..., Any]) -> None:
    folds = design(gain=0.3).draw(np.random.default_rng(7))
    back = {fold: replace(sample, right=-sample.right) for fold, sample in folds.items()}
    there, mirrored = estimate_all([folds, back], 4_000)
    low, high = percentile_interval(there.draws[:, 0])
    expected = pytest.approx((-high, -low), abs=0.15 * (high - low))
    assert percentile_interval(mirrored.draws[:, 0]) == expected


def test_other_lesions_or_none_are_refused(design: Callable[..., Any]) -> None:
    random = np.random.default_rng(8)
    few, many = (design(lesions=(n, n)).draw(random) for n in (5, 6))
    with pytest.raises(DermaugError, match="fold 0: expected the same lesions"):
        estimate_all([few, many], 10)
    with pytest.raises(DermaugError, match="no fold"):
        estimate_all([{}], 10)
    assert estimate_all([], 10) == ()
