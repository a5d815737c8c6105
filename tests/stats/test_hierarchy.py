from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dermaug.errors import DermaugError
from dermaug.evaluation.readouts import ARGMAX, AUC
from dermaug.stats.estimate import Estimate
from dermaug.stats.hierarchy import estimate_all
from dermaug.stats.influence import Asked, rates_of
from dermaug.stats.metrics import ROWS, Metric, metrics_of, readout_metrics
from dermaug.stats.spread import FREEDOM
from dermaug.stats.trainings import (
    CLASSIFIERS,
    GENERATORS,
    GROUPS_ONLY,
    TRAINING_SETS,
    FoldSample,
    training_variance,
    within_strata,
)

CLASSES = ("a", "b")
SENSITIVITY = metrics_of(CLASSES).index(Metric(ARGMAX, "a", "sensitivity"))
MACRO_AUC = metrics_of(("c0", "c1", "c2")).index(Metric(AUC, "all", "macro_auc"))


def samples_of(right: np.ndarray, trained_on: int = 400) -> dict[int, FoldSample]:
    """Fold -> lesions of class a with one image each, and gains (folds, seeds, lesions).

    One further lesion, of class b, is answered alike by all.
    """
    samples = {}
    for fold, gains in enumerate(right):
        seeds, lesions = gains.shape
        asked = np.zeros((lesions + 1, 2, 2))
        asked[:-1, 0, 0] = asked[:-1, 1, 1] = asked[-1, 0, 1] = asked[-1, 1, 0] = 1.0
        values = np.zeros((seeds, len(ROWS), 2))
        influence = np.zeros((seeds, lesions + 1, len(ROWS), 2))
        values[:, 0, 0] = gains.mean(axis=1)
        influence[:, :-1, 0, 0] = (gains - gains.mean(axis=1, keepdims=True)) / lesions
        samples[fold] = FoldSample(
            asked, values, influence, np.full((len(ROWS), 2), 0.6), np.zeros(seeds, int), trained_on
        )
    return samples


def estimated(samples: dict[int, FoldSample], resamples: int = 2_000) -> Estimate:
    return estimate_all([samples], readout_metrics(CLASSES), resamples)[0].at(SENSITIVITY)


def test_trainings_of_a_single_arm_are_expected_to_vary_as_at_its_level() -> None:
    """As two arms of that level do, half way between them."""
    equal = samples_of(np.zeros((2, 2, 30)))
    level = np.full((len(ROWS), 2), 0.6)
    alone = {
        fold: replace(sample, values=sample.values + level, is_alone=True)
        for fold, sample in equal.items()
    }
    assert estimated(alone).scale == pytest.approx(estimated(equal).scale)
    assert estimated(alone).value == pytest.approx(0.6)


def test_the_variance_is_that_of_two_crossed_random_effects() -> None:
    random = np.random.default_rng(0)
    folds, seeds, lesions = 40, 3, 50
    sizes = {"lesion": 1.0, "training": 0.2, "both": 0.8}
    gains = (
        random.normal(size=(folds, 1, lesions)) * sizes["lesion"]
        + random.normal(size=(folds, seeds, 1)) * sizes["training"]
        + random.normal(size=(folds, seeds, lesions)) * sizes["both"]
    )
    found = estimated(samples_of(gains), 4_000)
    analytic = (
        sizes["lesion"] ** 2 / lesions
        + sizes["training"] ** 2 / seeds
        + sizes["both"] ** 2 / (lesions * seeds)
    ) / folds
    assert found.value[0] == pytest.approx(gains.mean())
    assert found.standard_error[0] ** 2 == pytest.approx(analytic, rel=0.15)
    assert found.freedom == folds * (seeds - 1) + FREEDOM
    assert found.draws.var() == pytest.approx(found.standard_error[0] ** 2, rel=0.1)


def test_training_variance_agrees_with_an_analysis_of_variance_by_hand() -> None:
    gains = np.random.default_rng(1).normal(size=(2, 3, 7)) / 14  # folds, seeds, lesions
    values = [fold.sum(axis=1)[:, None] for fold in gains]
    centred = [within_strata(fold[..., None], np.zeros(7, int)) for fold in gains]
    found = training_variance(values, centred)
    each, crossed = 0.0, 0.0
    for fold in gains:
        grand = fold.mean()
        each += sum((row.sum() - fold.sum(axis=1).mean()) ** 2 for row in fold)
        for seed in range(3):
            for lesion in range(7):
                expected = fold[seed].mean() + fold[:, lesion].mean() - grand
                crossed += (fold[seed, lesion] - expected) ** 2
    assert found.freedom == 4
    assert found.each[0] == pytest.approx(each / 4)
    assert found.share == pytest.approx(2 / 3)
    assert found.interaction[0] == pytest.approx(crossed * 7 / 6 / 4 * 2 / 3)


def test_classifiers_of_one_generator_are_one_training() -> None:
    gains = np.random.default_rng(2).normal(size=(1, 5, 60))
    sample = replace(samples_of(gains)[0], generator=np.array([0, 1, 0, 1, 0]))
    found = estimated({0: sample})
    assert (found.freedom, found.levels) == (FREEDOM + 1, GENERATORS)
    assert found.value[0] == pytest.approx(np.mean([gains[0, ::2].mean(), gains[0, 1::2].mean()]))


def test_what_varies_is_named() -> None:
    gains = np.random.default_rng(3).normal(size=(3, 2, 20))
    assert estimated(samples_of(gains)).levels == CLASSIFIERS
    once = samples_of(gains[:, :1])
    assert estimated(once).levels == TRAINING_SETS
    few = {fold: once[fold] for fold in (0, 1)}
    assert (estimated(few).levels, estimated(few).is_judged) == (GROUPS_ONLY, False)
    mixed = {0: once[0], 1: samples_of(gains)[1]}  # fold 0 borrows the spread of fold 1
    assert estimated(mixed).freedom == FREEDOM + 1


def test_single_trainings_of_folds_follow_nadeau_and_bengio() -> None:
    gains = np.random.default_rng(4).normal(0.1, 0.3, size=(5, 1, 80))
    found = estimated(samples_of(gains, trained_on=324))
    folds = gains.mean(axis=(1, 2))
    expected = np.sqrt((1 / 5 + 81 / 324) * folds.var(ddof=1))
    assert (found.freedom, found.scale[0]) == (4, pytest.approx(expected))
    assert found.value[0] == pytest.approx(folds.mean())


def test_equal_arms_do_not_give_an_interval_of_width_zero(design: Callable[..., Any]) -> None:
    chosen = design(folds=1, seeds=2)
    folds = chosen.draw(np.random.default_rng(5))
    equal = {
        fold: replace(sample, values=0 * sample.values, influence=0 * sample.influence)
        for fold, sample in folds.items()
    }
    (found,) = estimate_all([equal], readout_metrics(chosen.classes))
    low, high = found.interval()
    assert (high - low > 0.001).all()
    assert (found.standard_error > 0).all()
    assert found.p_value() == pytest.approx(1.0)
    # Two trainings once gave intervals from -12.7 standard errors on.
    assert (high - low < 1.0).all()


@pytest.mark.parametrize("folds", [1, 3])
def test_two_perfect_aucs_of_single_trainings_have_no_interval(
    design: Callable[..., Any], folds: int
) -> None:
    chosen = design(folds=folds, seeds=1)
    equal = {
        fold: replace(sample, values=0 * sample.values, influence=0 * sample.influence)
        for fold, sample in chosen.draw(np.random.default_rng(5)).items()
    }
    (found,) = estimate_all([equal], readout_metrics(chosen.classes))
    rate = metrics_of(chosen.classes).index(Metric(ARGMAX, "all", "balanced_accuracy"))
    low, high = found.interval()
    assert found.value[MACRO_AUC] == 0.0
    told = (low, high, found.standard_error, found.p_value())
    assert np.isnan([each[MACRO_AUC] for each in told]).all()
    assert high[rate] > 0.001 > -0.001 > low[rate]


def test_three_lesions_that_all_agree_are_not_certain() -> None:
    found = estimated(samples_of(np.full((1, 2, 3), -1.0)))
    low, high = found.interval()[:, 0]
    assert high - low > 0.5


def test_half_of_the_group_variance_stays_whatever_the_interaction() -> None:
    # Lesions that each training answers anew: all of their variance is interaction.
    gains = np.random.default_rng(9).normal(size=(1, 2, 400))
    found = estimated(samples_of(gains))
    of_groups = gains.mean(axis=1).var() / 400
    assert found.nodes.var() == pytest.approx(of_groups / 2, rel=0.1)


def test_comparisons_share_lesions_and_may_lack_folds(design: Callable[..., Any]) -> None:
    chosen = design(folds=2, seeds=1)
    folds = chosen.draw(np.random.default_rng(6))
    doubled = {
        fold: replace(each, values=2 * each.values, influence=2 * each.influence)
        for fold, each in folds.items()
    }
    one, two, part = estimate_all(
        [folds, doubled, {1: folds[1]}], readout_metrics(chosen.classes), 400
    )
    np.testing.assert_allclose(
        two.draws[:, MACRO_AUC], 2 * one.draws[:, MACRO_AUC], rtol=0.01, atol=1e-3
    )
    (alone,) = estimate_all([{1: folds[1]}], readout_metrics(chosen.classes), 400)
    np.testing.assert_allclose(part.value, alone.value)


def test_swapping_the_arms_mirrors_the_interval(design: Callable[..., Any]) -> None:
    chosen = design(gain=0.3)
    folds = chosen.draw(np.random.default_rng(7))
    back = {
        fold: replace(
            sample,
            values=-sample.values,
            influence=-sample.influence,
            level=sample.level + sample.values.mean(axis=0),
        )
        for fold, sample in folds.items()
    }
    there, mirrored = (
        each.at(0) for each in estimate_all([folds, back], readout_metrics(chosen.classes), 4_000)
    )
    low, high = there.interval()[:, 0]
    assert mirrored.interval()[:, 0] == pytest.approx((-high, -low), abs=0.15 * (high - low))
    assert mirrored.p_value() == pytest.approx(there.p_value(), abs=0.02)


def test_p_and_equivalence_say_what_the_intervals_say(design: Callable[..., Any]) -> None:
    chosen = design(gain=0.1)
    (found,) = estimate_all(
        [chosen.draw(np.random.default_rng(8))], readout_metrics(chosen.classes)
    )
    level = found.p_value()
    for place in range(len(level)):
        one = found.at(place)
        touching = one.interval(1 - float(level[place]))[:, 0]
        assert np.abs(touching).min() == pytest.approx(0.0, abs=2e-4)
    margin = 0.05
    p = found.equivalence_p(margin)
    inside = (np.abs(found.interval(0.9)) <= margin).all(axis=0)
    np.testing.assert_array_equal(inside, p <= 0.05)


def test_patients_with_two_diagnoses_are_strata_of_their_own() -> None:
    asked = Asked(np.array([0, 1, 0, 1, 0]), np.array([0, 0, 1, 2, 3]), 4, 2)
    found = rates_of(asked, np.array([0, 1, 1, 1, 0]))
    sample = FoldSample(asked.counts, found.values[None], found.influence[None], found.values,
                        np.zeros(1, int), 9)  # fmt: skip
    assert len(np.unique(sample.strata)) == 3


def test_other_lesions_or_none_are_refused(design: Callable[..., Any]) -> None:
    random = np.random.default_rng(8)
    few, many = (design(lesions=(n, n)).draw(random) for n in (5, 6))
    with pytest.raises(DermaugError, match="fold 0: expected the same test groups"):
        estimate_all([few, many], readout_metrics(CLASSES), 10)
    with pytest.raises(DermaugError, match="no fold"):
        estimate_all([{}], readout_metrics(CLASSES), 10)
    assert estimate_all([], readout_metrics(CLASSES), 10) == ()
