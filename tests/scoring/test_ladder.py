"""Where a gain comes from: each column reads as the scores do, and a threshold is told apart."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import recorded

from dermaug.errors import DermaugError
from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.experiment.run.results import RunResults
from dermaug.experiment_file import validate_experiment
from dermaug.scoring.ladder import FREE, ladder
from dermaug.scoring.points import point_of
from dermaug.scoring.scores import score_trials
from dermaug.scoring.verdicts import verdict_table

Study = Callable[..., RunResults]
SCORES = {
    ARGMAX: "balanced_accuracy",
    ADJUSTED: "balanced_accuracy_adjusted",
    AUC: "macro_auc",
}


def steps(results: RunResults) -> pd.DataFrame:
    table = ladder(point_of(results, resamples=400))
    assert len(table) == len(table.drop_duplicates(["model", "arm", "reference", "readout"]))
    return table.set_index(["reference", "readout"])


def test_each_column_is_the_difference_of_what_the_scores_say(drawn_study: Study) -> None:
    results = drawn_study(folds=2, seeds=(0, 1))
    found = steps(results)
    means = score_trials(results).groupby("arm")[list(SCORES.values())].mean()
    arm = means.loc["classic+synthetic"]
    for reference in ("real", "classic"):
        for readout, column in SCORES.items():
            expected = arm[column] - means.loc[reference, column]
            # Folds of nearly equal parts: the pooled rate is close to the mean over folds.
            assert found.loc[(reference, readout), "difference"] == pytest.approx(
                expected, abs=0.02
            )
        free = arm["balanced_accuracy"] - means.loc[reference, "balanced_accuracy_adjusted"]
        assert found.loc[(reference, FREE), "difference"] == pytest.approx(free, abs=0.02)
    assert (found["low"] <= found["difference"]).all()
    assert (found["difference"] <= found["high"]).all()


def test_references_say_what_they_are(drawn_study: Study) -> None:
    kinds = steps(drawn_study(seeds=(0, 1)))["kind"].groupby(level=0).first()
    assert kinds["real"] == "no augmentation"
    assert kinds["classic"] == "standard augmentation (the baseline)"


def test_a_moved_threshold_is_no_gain_once_the_reference_may_move_it_too(
    drawn_study: Study,
) -> None:
    """Arms of one network; the reference leans to the commonest class as its loss taught it."""
    equal = {"real": 1.2, "classic": 1.6, "classic+synthetic": 1.6}
    results = drawn_study(skill=equal, seeds=(0, 1), lesions=60)
    prior = dict(zip(results.catalog.classes, (0.9, 0.05, 0.05), strict=True))

    def leaning(table: pd.DataFrame) -> pd.DataFrame:
        columns = [f"p_{label}" for label in prior]
        moved = table[columns] * np.array(list(prior.values()))
        return table.assign(**moved.div(moved.sum(axis=1), axis=0))

    trials = tuple(
        replace(recorded(trial, prior=prior), predictions=leaning(trial.predictions))
        if trial.arm == "classic"
        else trial
        for trial in results.trials
    )
    found = steps(replace(results, trials=trials))
    assert found.loc[("classic", ARGMAX), "difference"] > 0.1
    assert found.loc[("classic", ADJUSTED), "difference"] == pytest.approx(0.0, abs=1e-9)
    assert found.loc[("classic", FREE), "difference"] == pytest.approx(0.0, abs=1e-9)


def with_against(results: RunResults, *names: str) -> RunResults:
    arms = tuple(
        arm.model_copy(update={"against": names}) if arm.name == "classic+synthetic" else arm
        for arm in results.experiment.named_arms
    )
    return replace(results, experiment=results.experiment.model_copy(update={"named_arms": arms}))


def test_an_arm_is_judged_against_those_that_it_names(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    before, after = (
        verdict_table(point_of(each, resamples=400))
        for each in (results, with_against(results, "real", "classic"))
    )
    judged = after[(after["family"] == "mean sensitivity")]
    assert len(judged) == len(before[before["family"] == "mean sensitivity"]) + 1
    (row,) = judged[judged["role"] == "against"].to_dict("records")
    assert (row["arm"], row["reference"]) == ("classic+synthetic", "real")
    same = before[(before["family"] == "mean sensitivity") & (before["arm"] == "classic")]
    other = judged[judged["arm"] == "classic"]
    # One comparison more in the family: Holm's adjustment can only grow.
    assert (other["p_holm"].to_numpy() >= same["p_holm"].to_numpy()).all()
    assert other["p"].to_numpy() == pytest.approx(same["p"].to_numpy())


@pytest.mark.parametrize("named", ["nothing", "b"])
def test_against_names_another_arm(named: str) -> None:
    tree = {"name": "x", "arms": [{"name": "a"}, {"name": "b", "against": [named]}]}
    with pytest.raises(DermaugError, match="against"):
        validate_experiment(tree, "x")
