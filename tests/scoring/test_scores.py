from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from drawn import recorded
from sklearn import metrics

from dermaug.evaluation.predictions import probabilities_of
from dermaug.evaluation.readouts import OVERALL_ADJUSTED
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.scores import natural, primary_on_validation, score_classes, score_trials

Study = Callable[..., RunResults]


def test_scores_are_those_of_the_test_part(drawn_study: Study) -> None:
    results = drawn_study()
    scores = score_trials(results)
    assert len(scores) == len(results.trials) == 6
    trial, row = results.trials[3], scores.iloc[3]
    test = trial.predictions[trial.predictions["part"] == "test"]
    called = np.array(results.catalog.classes)[
        probabilities_of(test, results.catalog.classes).argmax(axis=1)
    ]
    assert (row["arm"], row["fold"], row["images"]) == (trial.arm, trial.fold, len(test))
    expected = metrics.balanced_accuracy_score(test["label"], called)
    assert row["balanced_accuracy"] == pytest.approx(expected)
    assert row["accuracy"] == pytest.approx(metrics.accuracy_score(test["label"], called))


def test_class_scores_average_to_the_overall_ones(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    keys = ["arm", "model", "fold", "seed"]
    means = score_classes(results).groupby(keys)[["sensitivity", "auc"]].mean()
    scores = score_trials(results).set_index(keys).loc[means.index]
    np.testing.assert_allclose(means["sensitivity"], scores["balanced_accuracy"])
    np.testing.assert_allclose(means["auc"], scores["macro_auc"])


def test_an_arm_that_learnt_another_prior_is_adjusted_for_it(drawn_study: Study) -> None:
    results = drawn_study(skill={"real": 1.5}, folds=1)
    (trial,) = results.trials
    prior = dict(zip(results.catalog.classes, (0.05, 0.9, 0.05), strict=True))
    columns = [f"p_{label}" for label in prior]
    moved = trial.predictions[columns] * np.array(list(prior.values()))
    moved = moved.div(moved.sum(axis=1), axis=0)
    learnt = replace(recorded(trial, prior=prior), predictions=trial.predictions.assign(**moved))
    before, after = (
        score_trials(replace(results, trials=(each,))).iloc[0] for each in (trial, learnt)
    )
    assert after["balanced_accuracy"] < before["balanced_accuracy"] - 0.1
    for name in (*OVERALL_ADJUSTED, "macro_auc"):
        assert after[name] == pytest.approx(before[name], abs=1e-6)
    validated = primary_on_validation(learnt, results)
    assert validated == pytest.approx(primary_on_validation(trial, results), abs=1e-6)


def test_probabilities_at_the_natural_prevalence_follow_the_training_part(
    drawn_study: Study,
) -> None:
    results = drawn_study(skill={"real": 0.0}, folds=1, lesions=40)
    (trial,) = results.trials
    flat = np.full((5, 3), 1 / 3)
    labels = results.catalog.labels[results.catalog.rows(results.folds[0].train)]
    expected = np.bincount(labels) / len(labels)
    np.testing.assert_allclose(natural(trial, flat, results), np.tile(expected, (5, 1)))


def test_a_run_without_trials_gives_empty_tables(drawn_study: Study) -> None:
    results = replace(drawn_study(), trials=())
    scores = score_trials(results)
    assert scores.empty
    assert score_classes(results).empty
