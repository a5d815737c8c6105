from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from dermaug.evaluation.discrimination import OVERALL
from dermaug.evaluation.predictions import probabilities_of
from dermaug.experiment.results import RunResults
from dermaug.experiment.scores import paired_differences, score_cells, score_classes

Study = Callable[..., RunResults]


def test_scores_are_those_of_the_test_part(drawn_study: Study) -> None:
    results = drawn_study()
    scores = score_cells(results)
    assert len(scores) == len(results.cells) == 6
    cell, row = results.cells[3], scores.iloc[3]
    test = cell.predictions[cell.predictions["part"] == "test"]
    called = np.array(results.catalog.classes)[
        probabilities_of(test, results.catalog.classes).argmax(axis=1)
    ]
    assert (row["arm"], row["fold"], row["images"]) == (cell.arm, cell.fold, len(test))
    expected = metrics.balanced_accuracy_score(test["label"], called)
    assert row["balanced_accuracy"] == pytest.approx(expected)
    assert row["accuracy"] == pytest.approx(metrics.accuracy_score(test["label"], called))


def test_class_scores_average_to_the_overall_ones(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    keys = ["arm", "model", "fold", "seed"]
    means = score_classes(results).groupby(keys)[["sensitivity", "auc"]].mean()
    scores = score_cells(results).set_index(keys).loc[means.index]
    np.testing.assert_allclose(means["sensitivity"], scores["balanced_accuracy"])
    np.testing.assert_allclose(means["auc"], scores["macro_auc"])


def table_of(values: dict[tuple[str, int, int], float]) -> pd.DataFrame:
    rows = [
        {"arm": arm, "model": "m", "fold": fold, "seed": seed, **dict.fromkeys(OVERALL, value)}
        for (arm, fold, seed), value in values.items()
    ]
    return pd.DataFrame(rows)


def test_differences_are_paired_by_fold_and_seed_in_any_order() -> None:
    scores = table_of(
        {
            ("b", 1, 0): 0.75,
            ("a", 0, 0): 0.25,
            ("a", 1, 0): 0.5,
            ("b", 0, 0): 0.375,
            ("b", 2, 0): 1.0,  # has no partner
        }
    )
    table = paired_differences(scores, "a").set_index("metric")
    row = table.loc["accuracy"]
    assert (row["arm"], row["reference"], row["pairs"], row["folds"]) == ("b", "a", 2, 2)
    assert row["mean_difference"] == pytest.approx(0.1875)
    assert row["sd_difference"] == pytest.approx(np.std([0.125, 0.25], ddof=1))


def test_one_pair_has_no_spread_and_no_pair_no_row() -> None:
    one = paired_differences(table_of({("a", 0, 0): 0.5, ("b", 0, 0): 0.75}), "a")
    assert one["mean_difference"].tolist() == [0.25] * len(OVERALL)
    assert one["sd_difference"].isna().all()
    assert paired_differences(table_of({("a", 0, 0): 0.5, ("b", 1, 0): 0.75}), "a").empty


def test_a_run_without_cells_gives_empty_tables(drawn_study: Study) -> None:
    results = replace(drawn_study(), cells=())
    scores = score_cells(results)
    assert scores.empty
    assert score_classes(results).empty
    assert paired_differences(scores, "real").empty
