"""Numbers of a yes-or-no question against independent computations."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from dermaug.evaluation.predictive_values import npv, ppv
from dermaug.evaluation.recalibration import calibration_slope
from dermaug.stats.answers import arm_samples, paired_samples
from dermaug.stats.estimate import Estimate
from dermaug.stats.hierarchy import estimate_all
from dermaug.stats.metrics import Metric
from dermaug.stats.pooled import PARAMETERS, VALUES, TargetFold
from dermaug.stats.target_metrics import CALIBRATION, target_answers, target_metrics

RULE = "argmax"
PREVALENCE = {"mel": 0.02}
METRICS = target_metrics(PREVALENCE, [RULE])
PLACES = {metric: place for place, metric in enumerate(METRICS.metrics)}


def place(name: str) -> int:
    readout = {"auc": "auc", "slope": CALIBRATION, "intercept": CALIBRATION}.get(name, RULE)
    return PLACES[Metric(readout, "mel", name)]


def drawn_folds(
    random: np.random.Generator,
    folds: int = 3,
    seeds: int = 2,
    groups: int = 120,
    steep: Mapping[str, float] = {"a": 1.0, "b": 2.0},
) -> dict[int, TargetFold]:
    """Lesions of one to three images; log odds are those of the truth times `steep`, plus noise.

    Trainings vary by as much as `dermaug.stats.spread` expects.
    """
    found = {}
    for fold in range(folds):
        sizes = random.integers(1, 4, groups)
        places = np.repeat(np.arange(groups), sizes)
        ease = random.normal(-1.0, 1.5, groups)
        positive = (random.random(groups) < expit(ease))[places]
        natural = {
            (arm, seed): expit(
                slope * ease[places]
                + 0.06 * random.normal()
                + random.normal(0.0, 0.5, groups)[places]
            )[:, None]
            for arm, slope in steep.items()
            for seed in range(seeds)
        }
        found[fold] = TargetFold(
            positive=positive[:, None],
            groups=places,
            num_groups=groups,
            called={key: (each > 0.5).astype(float)[:, None] for key, each in natural.items()},
            scores=natural,
            natural=natural,
            generator_seed=dict.fromkeys(natural),
            trained_on=dict.fromkeys(natural, 500),
        )
    return found


def estimates(folds: dict[int, TargetFold], resamples: int = 400) -> tuple[Estimate, ...]:
    """Of arm a, of arm b, and of a minus b."""
    answers = target_answers(folds, list(PREVALENCE.values()))
    samples = [arm_samples(answers, arm) for arm in ("a", "b")]
    return estimate_all([*samples, paired_samples(answers, "a", "b")], METRICS, resamples)


def pooled(folds: dict[int, TargetFold], arm: str) -> tuple[np.ndarray, ...]:
    """Outcomes, probabilities, calls and scores of all networks of an arm, one below the other."""
    parts = [
        (found.positive[:, 0], found.natural[key][:, 0], found.called[key][:, 0, 0])
        for found in folds.values()
        for key in found.called
        if key[0] == arm
    ]
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))


def test_values_are_those_of_all_images_of_an_arm() -> None:
    folds = drawn_folds(np.random.default_rng(0))
    one, other, difference = estimates(folds, 50)
    for arm, estimate in (("a", one), ("b", other)):
        positive, natural, called = pooled(folds, arm)
        sensitivity, specificity = called[positive].mean(), 1 - called[~positive].mean()
        assert estimate.value[place("sensitivity")] == pytest.approx(sensitivity)
        assert estimate.value[place("specificity")] == pytest.approx(specificity)
        right, wrong = 0.02 * sensitivity, 0.98 * (1 - specificity)
        assert estimate.value[place("ppv")] == pytest.approx(right / (right + wrong))
        right, wrong = 0.98 * specificity, 0.02 * (1 - sensitivity)
        assert estimate.value[place("npv")] == pytest.approx(right / (right + wrong))
        fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(natural)[:, None], positive)
        assert estimate.value[place("slope")] == pytest.approx(fitted.coef_[0, 0], rel=1e-4)
        moved = expit(logit(natural) + estimate.value[place("intercept")])
        assert moved.mean() == pytest.approx(positive.mean())
    np.testing.assert_allclose(difference.value, one.value - other.value)
    np.testing.assert_allclose(difference.level, other.value)


def test_areas_are_means_over_folds_weighted_by_positives() -> None:
    folds = drawn_folds(np.random.default_rng(1))
    areas = [
        [roc_auc_score(found.positive[:, 0], found.scores["a", seed][:, 0]) for seed in (0, 1)]
        for found in folds.values()
    ]
    positives = [found.positive.sum() for found in folds.values()]
    expected = np.average(np.mean(areas, axis=1), weights=positives)
    assert estimates(folds, 50)[0].value[place("auc")] == pytest.approx(expected)


def taken_anew(name: str, positive: np.ndarray, natural: np.ndarray) -> float:
    """A metric of some images; each counts once."""
    if name in VALUES:
        called = natural > 0.5
        rates = float(called[positive].mean()), float(1 - called[~positive].mean())
        return VALUES[name](*rates, PREVALENCE["mel"]).value
    return PARAMETERS[name](positive, natural, np.ones(len(positive))).value


@pytest.mark.parametrize("name", [*VALUES, *PARAMETERS])
def test_resampled_contributions_spread_like_the_metric_taken_anew(name: str) -> None:
    """The bootstrap of groups, with every number fitted again, against first order."""
    folds = drawn_folds(np.random.default_rng(2), folds=1, seeds=1, groups=500)
    (found,) = folds.values()
    estimate = estimates(folds, 4_000)[0]
    random, values = np.random.default_rng(3), []
    members = [np.flatnonzero(found.groups == group) for group in range(found.num_groups)]
    strata = [
        [rows for rows in members if found.positive[rows[0], 0] == side] for side in (True, False)
    ]
    for _ in range(300):
        picks = [(rows, random.integers(len(rows), size=len(rows))) for rows in strata]
        rows = np.concatenate([rows[place] for rows, places in picks for place in places])
        values.append(taken_anew(name, found.positive[rows, 0], found.natural["a", 0][rows, 0]))
    spread = estimate.nodes[:, place(name)].std()
    assert spread == pytest.approx(np.std(values), rel=0.15)


def test_derivatives_are_those_of_the_values() -> None:
    step = 1e-6
    for function in (ppv, npv):
        found = function(0.8, 0.9, 0.02)
        by_sensitivity = (function(0.8 + step, 0.9, 0.02).value - found.value) / step
        by_specificity = (function(0.8, 0.9 + step, 0.02).value - found.value) / step
        assert found.by_sensitivity == pytest.approx(by_sensitivity, rel=1e-3)
        assert found.by_specificity == pytest.approx(by_specificity, rel=1e-3)
    assert np.isnan(ppv(0.0, 1.0, 0.02).value)


def test_a_rule_that_validation_could_not_set_is_undefined() -> None:
    folds = drawn_folds(np.random.default_rng(4))
    folds[1].called["a", 0][:] = np.nan
    one, other, difference = estimates(folds, 50)
    of_rule = [place(name) for name in ("sensitivity", "specificity", "ppv", "npv")]
    for estimate in (one, difference):
        assert np.isnan(estimate.value[of_rule]).all()
        assert np.isnan(estimate.interval()[:, of_rule]).all()
        assert np.isfinite(estimate.interval()[:, place("auc")]).all()
    assert np.isfinite(other.value).all()


def test_outcomes_that_are_told_apart_have_no_slope() -> None:
    positive = np.array([False, False, True, True])
    found = calibration_slope(positive, np.array([0.1, 0.2, 0.8, 0.9]), np.ones(4))
    assert np.isnan(found.value)
    assert not found.influence.any()
    calibrated = calibration_slope(
        np.repeat([True, False, True, False], [1, 3, 3, 1]), np.repeat([0.25, 0.75], 4), np.ones(8)
    )
    assert calibrated.value == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [1, 2])
@pytest.mark.parametrize("steep", [1.0, 2.0])
def test_intervals_cover_the_true_difference(seeds: int, steep: float) -> None:
    """Nineteen of twenty intervals hold it, or more: equal arms, and one that is too sure."""
    random, arms = np.random.default_rng(5), {"a": steep, "b": 1.0}
    names = ("sensitivity", "specificity", *VALUES, *PARAMETERS)
    many = drawn_folds(np.random.default_rng(6), folds=1, seeds=6, groups=40_000, steep=arms)
    truth, inside = estimates(many, 1)[2].value, []
    for _ in range(150):
        folds = drawn_folds(random, seeds=seeds, groups=80, steep=arms)
        low, high = estimates(folds, 300)[2].interval()
        inside.append(((low <= truth) & (truth <= high))[[place(name) for name in names]])
    # 0.95 less three standard errors of a share of 150.
    assert (np.mean(inside, axis=0) > 0.9).all(), np.mean(inside, axis=0)
