from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import recorded, verdicts_of
from sklearn.metrics import roc_auc_score

from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.experiment.plan.comparisons import BASELINE, Contrast
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.effects import arm_estimates, effects_of, place_of
from dermaug.scoring.samples import predictions_of
from dermaug.scoring.scores import on_test
from dermaug.scoring.verdicts import COLUMNS, FAMILIES
from dermaug.stats.answers import FoldAnswers, answers_of, paired_samples
from dermaug.stats.metrics import ALL, Metric, metrics_of, readout_metrics
from dermaug.stats.multiplicity import holm
from dermaug.stats.outcomes import EQUIVALENT, EXPLORATORY, HELPS, HURTS, INCONCLUSIVE, NOT_JUDGED
from dermaug.stats.trainings import CLASSIFIERS, GENERATORS, GROUPS_ONLY, TRAINING_SETS

Study = Callable[..., RunResults]
PAIR = Contrast("classic", "real", BASELINE)
MEAN = Metric(ADJUSTED, ALL, "balanced_accuracy")


def with_generators(results: RunResults, seeds: dict[int, int]) -> RunResults:
    """The study as if classifier seed -> generator seed had been used in synthetic arms."""
    trials = tuple(
        recorded(trial, generator_seed=seeds[trial.seed]) if "synthetic" in trial.arm else trial
        for trial in results.trials
    )
    return replace(results, trials=trials)


def with_prior(results: RunResults, arm: str, prior: list[float]) -> RunResults:
    """The study as if an arm's loss had seen another prior, and its network had learnt it."""
    given = dict(zip(results.catalog.classes, prior, strict=True))

    def learnt(table: pd.DataFrame) -> pd.DataFrame:
        columns = [f"p_{label}" for label in given]
        moved = table[columns] * np.array(list(given.values()))
        return table.assign(**moved.div(moved.sum(axis=1), axis=0))

    trials = tuple(
        replace(recorded(trial, prior=given), predictions=learnt(trial.predictions))
        if trial.arm == arm
        else trial
        for trial in results.trials
    )
    return replace(results, trials=trials)


def answers(results: RunResults) -> dict[str, dict[int, FoldAnswers]]:
    return {"fridadar": answers_of(predictions_of(results, "fridadar"))}


def means(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["family"] == "mean sensitivity")].set_index("arm")


def test_equal_decisions_have_equal_intervals(drawn_study: Study) -> None:
    """With a uniform prior, argmax and prior-adjusted decisions are the same."""
    results = drawn_study(seeds=(0, 1))
    rows = verdicts_of(results, 200).set_index(["arm", "reference", "scope", "metric"])
    numbers = ["difference", "low", "high"]
    found, fair = (rows.loc[rows["readout"] == each, numbers] for each in (ARGMAX, ADJUSTED))
    pd.testing.assert_frame_equal(found, fair, atol=1e-12)
    moved = with_prior(results, "real", [0.8, 0.1, 0.1])
    rows = verdicts_of(moved, 200).set_index(["arm", "reference", "scope", "metric"])
    found, fair = (rows.loc[rows["readout"] == each, numbers] for each in (ARGMAX, ADJUSTED))
    assert (found.loc["classic", "low"] != fair.loc["classic", "low"]).any()


def test_every_contrast_has_a_row_per_metric_and_verdicts_in_three_families(
    drawn_study: Study,
) -> None:
    results = drawn_study(seeds=(0, 1), models=("fridadar", "resnet10t"))
    table = verdicts_of(results, 300)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 2 * 2 * len(metrics_of(results.catalog.classes))
    for family, (readout, metric) in FAMILIES.items():
        own = table[table["family"] == family]
        assert set(zip(own["readout"], own["metric"], strict=True)) == {(readout, metric)}
        assert len(own) == 4 * (3 if family == "class sensitivity" else 1)
        np.testing.assert_allclose(
            own["p_holm"].astype(float), holm(own["p"].to_numpy(dtype=float))
        )
        assert not set(own["verdict"]) & {EXPLORATORY, NOT_JUDGED}
    others = table[table["family"] == ""]
    assert set(others["verdict"]) == {EXPLORATORY}
    assert others["p_holm"].isna().all()
    assert (table["num_pairs"] == 4).all()
    assert (table["low"] <= table["difference"]).all()
    assert (table["difference"] <= table["high"]).all()
    assert (table["low"] < table["high"]).all()


def test_better_equal_and_worse_arms_are_told_apart(drawn_study: Study) -> None:
    skill = {"real": 1.0, "same": 1.0, "better": 3.5, "worse": 0.0}
    table = means(verdicts_of(drawn_study(skill=skill, seeds=(0, 1, 2), lesions=60), 2_000))
    found = table["verdict"].to_dict()
    assert found == {"same": INCONCLUSIVE, "better": HELPS, "worse": HURTS}
    assert (
        "better raises mean sensitivity (prior-adjusted) against real"
        in (table.loc["better", "sentence"])
    )
    assert "worse lowers mean sensitivity" in table.loc["worse", "sentence"]
    same = table.loc["same"]
    assert (same["difference"], same["p"]) == (0, pytest.approx(1))
    assert "is inconclusive" in same["sentence"]
    assert "in four of five cases (80 % power, " in same["sentence"]


def test_equal_arms_on_many_lesions_are_equivalent(drawn_study: Study) -> None:
    results = drawn_study(
        skill={"real": 2.0, "same": 2.0}, folds=4, seeds=tuple(range(6)), lesions=1_000
    )
    row = means(verdicts_of(results, 500)).loc["same"]
    assert row["verdict"] == EQUIVALENT
    assert (
        "are equivalent in mean sensitivity (prior-adjusted), within a margin of 0.02"
        in (row["sentence"])
    )


def test_one_training_is_not_judged_and_says_so(drawn_study: Study) -> None:
    table = verdicts_of(drawn_study(skill={"real": 0.5, "classic": 3.5}, seeds=(0,)), 100)
    judged = table[table["family"] != ""]
    assert set(judged["verdict"]) == {NOT_JUDGED}
    assert set(table["levels"]) == {GROUPS_ONLY}
    assert judged[["p", "p_holm", "detectable"]].isna().all(axis=None)
    assert judged["sentence"].str.contains("one training per arm, not judged").all()
    assert (table["low"] < table["high"]).all()


def test_three_folds_of_one_training_are_judged_over_folds(drawn_study: Study) -> None:
    table = verdicts_of(
        drawn_study(skill={"real": 0.0, "classic": 4.0}, folds=3, seeds=(0,), lesions=60), 100
    )
    assert set(table["levels"]) == {TRAINING_SETS}
    assert means(table).loc["classic", "verdict"] == HELPS


def test_no_class_is_judged_on_fewer_than_ten_groups(drawn_study: Study) -> None:
    # 24 lesions per class in four parts: six in each fold's test split.
    table = verdicts_of(drawn_study(folds=1, lesions=24, seeds=(0, 1)), 100)
    by_class = table[table["family"] == "class sensitivity"]
    assert (by_class["num_groups"] < 10).all()
    assert set(by_class["verdict"]) == {NOT_JUDGED}
    assert by_class[["low", "high", "p"]].isna().all(axis=None)
    assert by_class["sentence"].str.contains("too few to be judged").all()
    assert set(means(table)["verdict"]) <= {HELPS, HURTS, INCONCLUSIVE, EQUIVALENT}


def test_printed_intervals_stay_within_what_is_possible(drawn_study: Study) -> None:
    skill = {"real": -3.0, "classic": 9.0}
    table = verdicts_of(drawn_study(skill=skill, folds=1, seeds=(0, 1), lesions=40), 100)
    assert table["low"].min() >= -1.0
    assert table["high"].max() == 1.0


def test_what_cannot_be_attained_is_said(drawn_study: Study) -> None:
    skill = {"real": 5.0, "classic": 5.0}
    table = verdicts_of(drawn_study(skill=skill, folds=1, seeds=(0, 1), lesions=60), 100)
    row = means(table).loc["classic"]
    assert row["reference_level"] > 0.95
    assert not row["attainable"]
    assert np.isinf(row["detectable"])
    assert "not attainable by this design" in row["sentence"]


def test_equivalence_out_of_reach_is_said(drawn_study: Study) -> None:
    study = drawn_study(skill={"real": 1.5, "classic": 1.5}, folds=1, seeds=(0, 1), lesions=60)
    row = means(verdicts_of(study, 100)).loc["classic"]
    assert row["high"] - row["low"] > 4 * row["margin"]  # the interval is wider than the margins
    assert not row["can_be_equivalent"]
    assert "it is too small to show that there is none" in row["sentence"]


def test_a_learnt_prior_moves_argmax_and_neither_of_the_others(drawn_study: Study) -> None:
    even = drawn_study(skill={"real": 1.5, "classic": 1.5}, seeds=(0, 1))
    moved = with_prior(even, "real", [0.05, 0.90, 0.05])
    (effect,) = effects_of(answers(moved), readout_metrics(moved.catalog.classes), (PAIR,), 50)
    value = {
        metric: effect.estimate.value[place_of(moved.catalog.classes, metric)]
        for metric in (
            Metric(ARGMAX, ALL, "balanced_accuracy"),
            MEAN,
            Metric(AUC, ALL, "macro_auc"),
        )
    }
    assert value[Metric(ARGMAX, ALL, "balanced_accuracy")] > 0.1
    assert value[MEAN] == pytest.approx(0.0, abs=1e-9)
    assert value[Metric(AUC, ALL, "macro_auc")] == pytest.approx(0.0, abs=1e-9)


def test_what_the_interval_covers_is_said(drawn_study: Study) -> None:
    study = drawn_study(seeds=(0, 1, 2, 3))
    results = with_generators(study, {0: 0, 1: 1, 2: 0, 3: 1})
    levels = verdicts_of(results, 100).groupby(["arm", "reference"])["levels"].first()
    assert levels["classic", "real"] == CLASSIFIERS
    assert levels["classic+synthetic", "classic"] == GENERATORS


def test_a_single_generator_in_a_single_fold_is_named_as_such(drawn_study: Study) -> None:
    single = verdicts_of(with_generators(drawn_study(folds=1, seeds=(0, 1)), {0: 0, 1: 0}), 100)
    rows = means(single)
    assert "for this generator" in rows.loc["classic+synthetic", "sentence"]
    assert "for this generator" not in rows.loc["classic", "sentence"]


def test_the_generator_with_fewer_seeds_groups_the_pairs(drawn_study: Study) -> None:
    results = with_generators(drawn_study(seeds=(0, 1, 2)), {0: 5, 1: 7, 2: 5})
    samples = paired_samples(answers(results)["fridadar"], "classic+synthetic", "classic")
    assert {fold: sample.generator.tolist() for fold, sample in samples.items()} == {
        0: [0, 1, 0],
        1: [0, 1, 0],
    }


def test_class_differences_are_those_of_the_pooled_predictions(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    classes = results.catalog.classes
    (effect,) = effects_of(answers(results), readout_metrics(classes), (PAIR,), 50)

    def tests(arm: str) -> list[pd.DataFrame]:
        return [on_test(trial) for trial in results.trials if trial.arm == arm]

    def sensitivity(arm: str, label: str) -> float:
        own = pd.concat(tests(arm)).query("label == @label")
        called = own[[f"p_{name}" for name in classes]].to_numpy().argmax(axis=1)
        return float((called == classes.index(label)).mean())

    def area(arm: str, label: str) -> float:
        values = [roc_auc_score(test["label"] == label, test[f"p_{label}"]) for test in tests(arm)]
        return float(np.average(values, weights=[(t["label"] == label).sum() for t in tests(arm)]))

    for label in classes:
        for measure, readout, name in ((sensitivity, ARGMAX, "sensitivity"), (area, AUC, "auc")):
            expected = measure("classic", label) - measure("real", label)
            place = place_of(classes, Metric(readout, label, name))
            assert effect.estimate.value[place] == pytest.approx(expected)
        tested = pd.concat(tests("real"))
        lesions = tested.loc[tested["label"] == label, "lesion_id"].nunique()
        assert effect.estimate.groups[place] == lesions


def test_single_arms_differ_by_the_effect_on_the_same_draws(drawn_study: Study) -> None:
    results = drawn_study(folds=1)
    classes, found = results.catalog.classes, answers(results)
    arms = arm_estimates(found["fridadar"], classes, ["classic", "real", "missing"], 400)
    assert list(arms) == ["classic", "real"]
    (effect,) = effects_of(found, readout_metrics(classes), (PAIR,), 400)
    place = place_of(classes, MEAN)
    difference = (arms["classic"].draws - arms["real"].draws)[:, place]
    assert np.corrcoef(difference, effect.estimate.draws[:, place])[0, 1] > 0.9


def test_an_unfinished_run_has_the_verdicts_it_can_have(drawn_study: Study) -> None:
    results = drawn_study(skill={"real": 1.0, "classic": 2.0})
    part = verdicts_of(replace(results, trials=results.trials[:3]), 50)
    assert (part["num_pairs"] == 1).all()
    nothing = verdicts_of(replace(results, trials=results.trials[:2]), 50)
    assert nothing.empty
    assert tuple(nothing.columns) == COLUMNS
    assert verdicts_of(replace(results, trials=()), 50).empty


def test_a_class_without_test_lesions_is_not_compared(drawn_study: Study) -> None:
    results = drawn_study(folds=1, seeds=(0, 1))
    trials = tuple(
        replace(trial, predictions=trial.predictions[trial.predictions["label"] != "mel"])
        for trial in results.trials
    )
    table = verdicts_of(replace(results, trials=trials), 50)
    mel = table[(table["scope"] == "mel") & (table["family"] != "")]
    assert mel["p"].isna().all()
    assert set(mel["verdict"]) == {NOT_JUDGED}
    assert mel["sentence"].str.contains("could not be compared").all()
    assert means(table)["p_holm"].notna().all()
