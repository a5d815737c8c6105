from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from dermaug.experiment.comparisons import compare_arms, contrasts, pooled_differences
from dermaug.experiment.results import RunResults
from dermaug.experiment.scores import held_out

Study = Callable[..., RunResults]
SENSITIVITY = "balanced_accuracy"


def test_a_synthetic_arm_is_also_compared_with_its_control_and_its_replay(
    drawn_study: Study,
) -> None:
    assert contrasts(drawn_study()) == [
        ("classic", "real"),
        ("classic+synthetic", "real"),
        ("classic+synthetic", "classic"),
        ("classic+synthetic", "classic+synthetic-replay"),
        ("classic+synthetic-replay", "classic"),
    ]


def test_equal_predictions_differ_by_exactly_nothing(drawn_study: Study) -> None:
    table = compare_arms(drawn_study(skill={"real": 1.5, "classic": 1.5}), resamples=200)
    rows = table[table["metric"].isin([SENSITIVITY, "accuracy", "mean_specificity"])]
    assert len(rows) == 3
    assert (rows[["pooled_difference", "low", "high", "mean_difference"]] == 0).all(axis=None)


def test_a_large_difference_is_found_and_its_sign_is_arm_minus_reference(
    drawn_study: Study,
) -> None:
    table = compare_arms(drawn_study(skill={"real": 0.3, "classic": 3.0}), resamples=500)
    row = table.set_index("metric").loc[SENSITIVITY]
    assert (row["arm"], row["reference"]) == ("classic", "real")
    assert 0 < row["low"] < row["pooled_difference"] < row["high"]
    back = compare_arms(drawn_study(skill={"classic": 3.0, "real": 0.3}), resamples=500)
    mirrored = back.set_index("metric").loc[SENSITIVITY]
    assert mirrored["high"] == pytest.approx(-row["low"])
    assert mirrored["pooled_difference"] == pytest.approx(-row["pooled_difference"])


def test_the_pool_is_all_folds_of_a_seed_averaged_over_seeds(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    table = pooled_differences(results, "fridadar", "classic", "real", resamples=50)
    row = table.set_index("metric").loc[SENSITIVITY]

    def pooled(arm: str, seed: int) -> float:
        cells = [one for one in results.cells if (one.arm, one.seed) == (arm, seed)]
        test = pd.concat([held_out(cell) for cell in cells])
        probabilities = test[[f"p_{label}" for label in results.catalog.classes]].to_numpy()
        called = np.array(results.catalog.classes)[probabilities.argmax(axis=1)]
        return metrics.balanced_accuracy_score(test["label"], called)

    expected = np.mean([pooled("classic", seed) - pooled("real", seed) for seed in (0, 1)])
    assert row["pooled_difference"] == pytest.approx(expected)
    tested = {image for fold in results.folds for image in fold.test}
    lesions = results.catalog.table.set_index("image_id")["lesion_id"].loc[list(tested)].nunique()
    assert (row["images"], row["lesions"]) == (len(tested), lesions)


def test_the_interval_agrees_with_a_plain_loop_over_lesions(drawn_study: Study) -> None:
    results = drawn_study(lesions=40)
    row = pooled_differences(results, "fridadar", "classic", "real").set_index("metric")
    arms = {
        arm: pd.concat([held_out(cell) for cell in results.cells if cell.arm == arm])
        for arm in ("classic", "real")
    }
    hits = {
        arm: (
            table[[f"p_{label}" for label in results.catalog.classes]].to_numpy().argmax(axis=1)
            == pd.Categorical(table["label"], categories=results.catalog.classes).codes
        ).astype(int)
        for arm, table in arms.items()
    }
    lesions, group = np.unique(arms["real"]["lesion_id"], return_inverse=True)
    gains, sizes = np.bincount(group, hits["classic"] - hits["real"]), np.bincount(group)
    random = np.random.default_rng(5)
    drawn = []
    for _ in range(2_000):
        chosen = random.integers(len(lesions), size=len(lesions))
        drawn.append(gains[chosen].sum() / sizes[chosen].sum())
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert row.loc["accuracy", "low"] == pytest.approx(low, abs=0.012)
    assert row.loc["accuracy", "high"] == pytest.approx(high, abs=0.012)


def test_an_unfinished_run_is_compared_on_the_pairs_that_exist(drawn_study: Study) -> None:
    results = drawn_study(skill={"real": 1.0, "classic": 2.0})
    partial = replace(results, cells=results.cells[:3])  # classic has fold 0 only
    row = compare_arms(partial, resamples=50).set_index("metric").loc[SENSITIVITY]
    assert (row["pairs"], row["images"]) == (1, len(results.folds[0].test))
    nothing = compare_arms(replace(results, cells=results.cells[:2]))
    assert nothing.empty
    assert {"metric", "low", "high"} <= set(nothing.columns)
