"""External data sets: every network of every fold answers the same lesions, which count once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import scored

from dermaug.evaluation.operating_points import Scored, at_threshold, threshold_for
from dermaug.evaluation.readouts import ARGMAX
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Details, Table
from dermaug.report.sections.external import external_section
from dermaug.scoring.external_scores import (
    compare_external,
    external_decisions,
    external_points,
    score_external,
)
from dermaug.scoring.points import Point, point_of
from dermaug.scoring.scores import on_test, on_validation
from dermaug.stats.multiplicity import holm
from dermaug.stats.outcomes import EQUIVALENT, HELPS, HURTS, INCONCLUSIVE

Study = Callable[..., RunResults]
PATH = "elsewhere"


def compare(point: Point) -> pd.DataFrame:
    return compare_external(external_points(point))


@pytest.fixture
def tested(drawn_study: Study) -> RunResults:
    """Two folds and two seeds, all tested on the test split of another study's only fold."""
    results = drawn_study(seeds=(0, 1))
    apart = {
        (trial.arm, trial.seed): on_test(trial)
        for trial in drawn_study(seeds=(0, 1, 2, 3), folds=1).trials
    }
    trials = tuple(
        replace(trial, external={PATH: apart[trial.arm, 2 * trial.fold + trial.seed]})
        for trial in results.trials
    )
    return replace(results, trials=trials)


def test_differences_are_those_of_the_scores_and_lesions_count_once(tested: RunResults) -> None:
    scores = score_external(tested).set_index(["arm", "fold", "seed"])["balanced_accuracy"]
    table = compare(point_of(tested, 200))
    (data,) = set(table["data"])
    assert data == PATH
    wanted = (table["metric"] == "balanced_accuracy") & (table["readout"] == ARGMAX)
    table = table[wanted].set_index(["arm", "reference"])
    row = table.loc["classic+synthetic", "classic"]
    expected = (scores["classic+synthetic"] - scores["classic"]).mean()
    assert row["difference"] == pytest.approx(expected)
    assert row["low"] < expected < row["high"]
    external = tested.trials[0].external[PATH]
    assert row["num_groups"] == external["lesion_id"].nunique()
    assert row["num_pairs"] == 4


def test_each_external_set_has_families_of_its_own(tested: RunResults) -> None:
    """A second set changes no adjusted p of the first; one set given twice, twice the same."""
    one = compare(point_of(tested, 200))
    twice = tuple(
        replace(trial, external={**trial.external, "again": trial.external[PATH]})
        for trial in tested.trials
    )
    both = compare(point_of(replace(tested, trials=twice), 200))
    columns = ["arm", "reference", "readout", "metric", "scope", "p_holm", "verdict", "family"]
    for path in (PATH, "again"):
        own = both[both["data"] == path].reset_index(drop=True)
        pd.testing.assert_frame_equal(own[columns], one[columns])
    judged = one[one["family"] == "mean sensitivity"]
    assert set(judged["verdict"]) <= {HELPS, HURTS, EQUIVALENT, INCONCLUSIVE}
    assert judged["p_holm"].to_numpy() == pytest.approx(holm(judged["p"].to_numpy()))
    assert judged["sentence"].str.startswith(f"On {PATH}: ").all()


def test_without_external_data_there_is_nothing(drawn_study: Study) -> None:
    assert compare(point_of(drawn_study(), 50)).empty


def test_equal_answers_differ_by_nothing(tested: RunResults) -> None:
    same = tested.trials[0].external
    table = compare(
        point_of(
            replace(tested, trials=tuple(replace(trial, external=same) for trial in tested.trials)),
            50,
        )
    )
    known = table["low"].notna()
    assert (table.loc[known, "difference"] == 0.0).all()
    assert (table.loc[known, "low"] < 0.0).all()
    assert (table.loc[known, "high"] > 0.0).all()


def test_decisions_on_external_data_use_the_thresholds_of_validation(tested: RunResults) -> None:
    table = external_decisions(external_points(point_of(tested, 50)))
    assert set(table["data"]) == {PATH}
    assert "calibration" not in set(table["readout"])
    own = table[(table["arm"] == "classic") & (table["reference"] == "")]
    found = own.set_index(["readout", "scope", "metric"])["value"]
    expected = []
    for trial in tested.trials:
        if trial.arm == "classic":
            part = on_validation(trial), trial.external[PATH]
            chosen, apart = (
                Scored((each["label"] == "mel").to_numpy(), each["p_mel"].to_numpy())
                for each in part
            )
            expected.append(at_threshold(apart, threshold_for(chosen, 0.9)))
    sensitivity, specificity = np.mean(expected, axis=0)
    assert found["90 % specificity", "mel", "sensitivity"] == pytest.approx(sensitivity)
    assert found["90 % specificity", "mel", "specificity"] == pytest.approx(specificity)
    scoring = scored(tested)
    external = external_section(tested, scoring)
    folded = [block for block in external.content if isinstance(block, Details)]
    assert "thresholds chosen on validation" in folded[0].summary
    sources = {block.source for block in folded[0].content if isinstance(block, Table)}
    assert sources == {"scoring/external_decisions.csv"}


def test_external_data_are_scored_whatever_folds_are_run(tested: RunResults) -> None:
    second = replace(
        tested,
        folds=tested.folds[1:],
        trials=tuple(trial for trial in tested.trials if trial.fold == 1),
    )
    assert len(external_decisions(external_points(point_of(second, 50))))
