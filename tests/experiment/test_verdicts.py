from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dermaug.experiment.answers import answers_of, paired_samples
from dermaug.experiment.comparisons import compare_arms
from dermaug.experiment.effects import arm_estimates, effects_of, place_of
from dermaug.experiment.results import RunResults
from dermaug.experiment.scores import held_out
from dermaug.experiment.verdicts import COLUMNS, verdict_table
from dermaug.stats.multiplicity import holm
from dermaug.stats.tally import ALL
from dermaug.stats.trainings import CLASSIFIERS, GENERATORS, LESIONS_ONLY

Study = Callable[..., RunResults]


def with_generators(results: RunResults, seeds: dict[int, int]) -> RunResults:
    """The study as if classifier seed -> generator seed had been used in synthetic arms."""
    cells = tuple(
        replace(cell, generator_seed=seeds[cell.seed]) if "synthetic" in cell.arm else cell
        for cell in results.cells
    )
    return replace(results, cells=cells)


def test_every_contrast_has_a_verdict_for_all_and_for_each_class(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1), models=("fridadar", "resnet10t"))
    table = verdict_table(results, 300)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 2 * 3 * 4  # models, contrasts with cells, scopes
    assert table.groupby("scope")["metric"].unique().map(list).to_dict() == {
        ALL: ["balanced_accuracy"],
        **{label: ["sensitivity"] for label in results.catalog.classes},
    }
    for is_all, family in table.groupby(table["scope"] == ALL):
        assert len(family) == (6 if is_all else 18)
        np.testing.assert_allclose(
            family["p_holm"].astype(float), holm(family["p"].to_numpy(dtype=float))
        )
    assert (table["num_cells"] == 4).all()
    assert (table["low"] <= table["difference"]).all()
    assert (table["difference"] <= table["high"]).all()


def test_verdicts_agree_with_the_comparisons(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    keys = ["arm", "reference", "model", "metric"]
    verdicts = verdict_table(results, 200)
    compared = compare_arms(results, 200).set_index(keys)
    for _, row in verdicts[verdicts["scope"] == ALL].iterrows():
        same = compared.loc[tuple(row[keys])]
        assert row["difference"] == pytest.approx(same["pooled_difference"])
        assert (row["low"], row["high"]) == pytest.approx((same["low"], same["high"]))
        assert (row["num_lesions"], row["levels"]) == (same["lesions"], same["levels"])


def test_better_equal_and_worse_arms_are_told_apart(drawn_study: Study) -> None:
    skill = {"real": 1.0, "same": 1.0, "better": 3.5, "worse": 0.0}
    table = verdict_table(drawn_study(skill=skill, seeds=(0, 1, 2), lesions=60), 2_000)
    table = table[table["scope"] == ALL].set_index("arm")
    found = table["verdict"].to_dict()
    assert found == {"same": "no evidence", "better": "helps", "worse": "hurts"}
    assert "better raises mean sensitivity against real" in table.loc["better", "sentence"]
    assert "worse lowers mean sensitivity against real" in table.loc["worse", "sentence"]
    assert table.loc["worse", "mcnemar_p"] < 0.01
    same = table.loc["same"]
    assert (same["difference"], same["p"], same["mcnemar_p"]) == (0, 1, 1)
    assert "no evidence that same changes mean sensitivity" in same["sentence"]


def test_what_the_interval_covers_is_said(drawn_study: Study) -> None:
    once = verdict_table(drawn_study(seeds=(0,)), 100)
    assert set(once["levels"]) == {LESIONS_ONLY}
    assert once["sentence"].str.contains("another training may turn it").all()
    study = drawn_study(seeds=(0, 1, 2, 3))
    results = with_generators(study, {0: 0, 1: 1, 2: 0, 3: 1})
    levels = verdict_table(results, 100).groupby(["arm", "reference"])["levels"].first()
    assert levels["classic", "real"] == CLASSIFIERS
    assert levels["classic+synthetic", "classic"] == GENERATORS
    single = verdict_table(with_generators(study, dict.fromkeys(range(4), 0)), 100)
    assert set(single["levels"]) == {CLASSIFIERS}


def test_the_generator_with_fewer_seeds_groups_the_pairs(drawn_study: Study) -> None:
    results = with_generators(drawn_study(seeds=(0, 1, 2)), {0: 5, 1: 7, 2: 5})
    samples = paired_samples(answers_of(results, "fridadar"), "classic+synthetic", "classic")
    assert {fold: sample.generator.tolist() for fold, sample in samples.items()} == {
        0: [0, 1, 0],
        1: [0, 1, 0],
    }


def test_class_differences_are_those_of_the_pooled_predictions(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    (effect,) = effects_of(results, (("classic", "real"),), 50)
    classes = results.catalog.classes

    def sensitivity(arm: str, label: str) -> float:
        test = pd.concat([held_out(cell) for cell in results.cells if cell.arm == arm])
        own = test[test["label"] == label]
        called = own[[f"p_{name}" for name in classes]].to_numpy().argmax(axis=1)
        return float((called == classes.index(label)).mean())

    for label in classes:
        expected = sensitivity("classic", label) - sensitivity("real", label)
        place = place_of(results, label, "sensitivity")
        assert effect.estimate.value[place] == pytest.approx(expected)
        tested = pd.concat([held_out(cell) for cell in results.cells if cell.arm == "real"])
        lesions = tested.loc[tested["label"] == label, "lesion_id"].nunique()
        assert effect.num_lesions[classes.index(label)] == lesions


def test_single_arms_differ_by_the_effect_on_the_same_draws(drawn_study: Study) -> None:
    results = drawn_study()
    arms = arm_estimates(results, "fridadar", ["classic", "real", "missing"], 100)
    assert list(arms) == ["classic", "real"]
    (effect,) = effects_of(results, (("classic", "real"),), 100)
    difference = arms["classic"].draws - arms["real"].draws
    np.testing.assert_allclose(difference, effect.estimate.draws, atol=1e-5)


def test_an_unfinished_run_has_the_verdicts_it_can_have(drawn_study: Study) -> None:
    results = drawn_study(skill={"real": 1.0, "classic": 2.0})
    part = verdict_table(replace(results, cells=results.cells[:3]), 50)
    assert (part["num_cells"] == 1).all()
    nothing = verdict_table(replace(results, cells=results.cells[:2]), 50)
    assert nothing.empty
    assert tuple(nothing.columns) == COLUMNS
    assert verdict_table(replace(results, cells=()), 50).empty


def test_a_class_without_test_lesions_is_not_compared(drawn_study: Study) -> None:
    results = drawn_study(folds=1)
    cells = tuple(
        replace(cell, predictions=cell.predictions[cell.predictions["label"] != "mel"])
        for cell in results.cells
    )
    table = verdict_table(replace(results, cells=cells), 50)
    mel = table[table["scope"] == "mel"]
    assert mel["p"].isna().all()
    assert set(mel["verdict"]) == {"no evidence"}
    assert mel["sentence"].str.contains("could not be compared").all()
    assert table.loc[table["scope"] != "mel", "p_holm"].notna().all()
