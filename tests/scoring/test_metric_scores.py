"""Tables over trials: calibration, operating points and groups of patients."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from dermaug.config import PhantomConfig
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import write_phantoms
from dermaug.evaluation.predictions import probabilities_of
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.calibration_scores import reliability, score_calibration
from dermaug.scoring.operating_scores import score_operating_points, targets
from dermaug.scoring.points import point_of
from dermaug.scoring.scores import on_test, score_trials
from dermaug.scoring.subgroup_scores import FEWEST, MERGED, describe_groups, score_subgroups

Study = Callable[..., RunResults]
CLASSES = ("bcc", "bkl", "mel", "nv")


def changed(results: RunResults, **columns: object) -> RunResults:
    catalog = replace(results.catalog, table=results.catalog.table.assign(**columns))
    return replace(results, catalog=catalog)


def test_the_temperature_is_fitted_on_validation_and_judged_on_test(drawn_study: Study) -> None:
    results = drawn_study(skill={"real": 4.0}, lesions=150)
    table = score_calibration(results)
    assert len(table) == len(results.trials)
    # Logits were drawn as noise plus 4 for the truth: the classifier is not sure enough.
    assert (table["temperature"] < 0.9).all()
    assert (table["nll_scaled"] < table["nll"]).all()
    trial = results.trials[0]
    other_test = trial.predictions.copy()
    test = other_test["part"] == "test"
    columns = [name for name in other_test if name.startswith("p_")]
    other_test.loc[test, columns] = 1 / 3
    again = score_calibration(replace(results, trials=(replace(trial, predictions=other_test),)))
    assert again["temperature"].iloc[0] == table["temperature"].iloc[0]
    assert again["nll"].iloc[0] == pytest.approx(np.log(3), rel=1e-3)


def test_reliability_pools_the_trials_of_an_arm(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    table = reliability(results)
    for arm, bins in table.groupby("arm"):
        trials = [on_test(trial) for trial in results.trials if trial.arm == arm]
        assert bins["images"].sum() == sum(map(len, trials))
        right = (bins["images"] * bins["accuracy"]).sum() / bins["images"].sum()
        scores = score_trials(results).query("arm == @arm")
        expected = np.average(scores["accuracy"], weights=scores["images"])
        assert right == pytest.approx(expected)


def test_operating_points_of_a_trial(drawn_study: Study) -> None:
    results = drawn_study(classes=CLASSES, lesions=60)
    table = score_operating_points(results)
    trial = results.trials[0]
    rows = table[(table["arm"] == trial.arm) & (table["fold"] == trial.fold)]
    test = on_test(trial)
    malignant = test["label"].isin(["bcc", "mel"])
    summed = test["p_bcc"].astype(float) + test["p_mel"].astype(float)
    top = rows[(rows["target"] == "malignant") & (rows["rule"] == "argmax")].iloc[0]
    assert top["auc"] == pytest.approx(metrics.roc_auc_score(malignant, summed))
    assert (top["positives"], top["negatives"]) == (malignant.sum(), (~malignant).sum())
    called = np.array(CLASSES)[probabilities_of(test, CLASSES).argmax(axis=1)]
    hits = np.isin(called[malignant.to_numpy()], ["bcc", "mel"]).mean()
    assert top["sensitivity"] == pytest.approx(hits)
    melanoma = rows[(rows["target"] == "mel") & (rows["wanted_specificity"] == 0.9)].iloc[0]
    assert melanoma["validation_specificity"] >= 0.9
    positive = test.loc[test["label"] == "mel", "p_mel"]
    expected = (positive > melanoma["threshold"]).mean()
    assert melanoma["sensitivity"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (("bcc", "mel", "nv"), ["malignant", "mel"]),
        (("bkl", "mel", "nv"), ["mel"]),
        (("akiec", "nv"), ["malignant"]),
        (("benign", "mel"), ["mel"]),
        (("bkl", "nv"), []),
    ],
)
def test_what_is_looked_for_follows_from_the_classes(
    drawn_study: Study, classes: tuple[str, ...], found: list[str]
) -> None:
    results = drawn_study(classes=classes, skill={"real": 1.0}, folds=1)
    assert list(targets(results)) == found
    assert set(score_operating_points(results)["target"]) == set(found)


def test_a_group_is_scored_on_its_own_images(drawn_study: Study) -> None:
    results = drawn_study(classes=CLASSES, seeds=(0, 1), lesions=60)
    table = score_subgroups(point_of(results, 20), resamples=50)
    own = table[(table["reference"] == "") & (table["metric"] == "balanced_accuracy")]
    sex = results.catalog.table.set_index("image_id")["sex"]
    for row in own[own["grouping"] == "sex"].itertuples():
        by_seed = []
        for seed in (0, 1):
            trials = [c for c in results.trials if (c.arm, c.seed) == (row.arm, seed)]
            pool = pd.concat([on_test(trial) for trial in trials])
            pool = pool[pool["image_id"].map(sex) == row.group]
            called = np.array(CLASSES)[probabilities_of(pool, CLASSES).argmax(axis=1)]
            by_seed.append(metrics.balanced_accuracy_score(pool["label"], called))
        assert row.value == pytest.approx(np.mean(by_seed))
        assert (row.images, row.lesions) == (len(pool), pool["lesion_id"].nunique())
        assert row.low <= row.value <= row.high
    assert set(own["grouping"]) == {"sex", "age", "site"}  # no tone is told


def test_differences_are_to_the_control(drawn_study: Study) -> None:
    results = drawn_study(classes=CLASSES)
    table = score_subgroups(point_of(results, 20), resamples=20)
    keys = ["grouping", "group", "metric"]
    own = table[table["reference"] == ""].set_index([*keys, "arm"])["value"]
    gains = table[table["reference"] != ""]
    assert set(zip(gains["arm"], gains["reference"], strict=True)) == {
        ("classic", "real"),
        ("classic+synthetic", "classic"),
    }
    for row in gains.itertuples():
        place = (row.grouping, row.group, row.metric)
        expected = own[(*place, row.arm)] - own[(*place, row.reference)]
        assert row.value == pytest.approx(expected)


def test_the_interval_is_that_of_a_binomial_where_lesions_are_single(drawn_study: Study) -> None:
    results = drawn_study(classes=("mel", "nv"), skill={"real": 1.0}, lesions=200)
    results = changed(results, lesion_id=results.catalog.table["image_id"])
    table = score_subgroups(point_of(results, 20), resamples=2_000)
    row = table[(table["grouping"] == "sex") & (table["metric"] == "malignant_sensitivity")].iloc[0]
    spread = np.sqrt(row["value"] * (1 - row["value"]) / row["support"])
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * spread, rel=0.15)


def test_a_small_group_has_its_size_and_no_interval(drawn_study: Study) -> None:
    results = drawn_study()
    sex = np.where(np.arange(len(results.catalog)) % 12 == 0, "male", "female")
    table = score_subgroups(point_of(changed(results, sex=sex), 20), resamples=20)
    rows = table[(table["grouping"] == "sex") & (table["metric"] == "balanced_accuracy")]
    small = rows[rows["group"] == "male"]
    assert (small["images"] < FEWEST).all()
    assert small[["low", "high"]].isna().all().all()
    assert rows.loc[rows["group"] == "female", ["low", "high"]].notna().all().all()
    defined = small["classes"] > 0
    assert (small["value"].notna() == defined).all()
    few = table[(table["metric"] == "malignant_sensitivity") & (table["support"] < FEWEST)]
    assert len(few) > 0
    assert few["low"].isna().all()


def test_a_class_with_few_images_in_a_group_is_left_out_of_its_mean(drawn_study: Study) -> None:
    results = drawn_study(classes=CLASSES, lesions=40, skill={"real": 1.0})
    table = results.catalog.table
    tested = {name for fold in results.folds for name in fold.test}
    rare = table.index[(table["label"] == "bcc") & table["image_id"].isin(tested)][:4]
    others = table.index[(table["label"] != "bcc") & (table.index % 2 == 0)]
    sex = np.where(table.index.isin(rare.union(others)), "female", "male")
    found = score_subgroups(point_of(changed(results, sex=sex), 20), resamples=20)
    rows = found[(found["group"] == "female") & (found["metric"] == "balanced_accuracy")]
    assert rows["classes"].tolist() == [3]
    pool = pd.concat([on_test(trial) for trial in results.trials])
    pool = pool[pool["image_id"].isin(table["image_id"][sex == "female"])]
    kept = pool[pool["label"] != "bcc"]
    called = np.array(CLASSES)[probabilities_of(kept, CLASSES).argmax(axis=1)]
    recalls = metrics.recall_score(
        kept["label"], called, labels=["bkl", "mel", "nv"], average="macro"
    )
    assert rows["value"].iloc[0] == pytest.approx(recalls)
    assert rows["images"].iloc[0] == len(pool)


def test_skin_tones_of_the_data_are_groups(drawn_study: Study, tmp_path: Path) -> None:
    """A folder of phantoms whose metadata have a Fitzpatrick column."""
    results = drawn_study(classes=("mel", "nv"), lesions=60)
    number, tones = len(results.catalog), ["I", "IV", "VI", "NA"]
    folder = write_phantoms(tmp_path / "drawn", PhantomConfig(number=number), 16)
    metadata = pd.read_csv(folder / "HAM10000_metadata.csv")
    told = metadata.assign(fitzpatrick=[tones[row % 4] for row in range(number)])
    told.to_csv(folder / "HAM10000_metadata.csv", index=False)
    drawn = open_catalog(folder)
    study = changed(results, skin_tone=drawn.table["skin_tone"])
    table = score_subgroups(point_of(study, 20), resamples=20)
    rows = table[(table["grouping"] == "skin_tone") & (table["reference"] == "")]
    assert rows["group"].unique().tolist() == ["I", "IV", "VI", "unknown"]
    one = rows[(rows["metric"] == "balanced_accuracy") & (rows["arm"] == rows["arm"].iloc[0])]
    assert one["images"].sum() == sum(len(fold.test) for fold in results.folds)


def test_scales_are_in_order_and_rare_values_are_put_together(drawn_study: Study) -> None:
    results = drawn_study(lesions=30)
    number = len(results.catalog)
    sites = [f"site {index % 20:02d}" for index in range(number)]
    tones = [str(1 + index % 10) for index in range(number)]  # Monk's scale
    described = describe_groups(changed(results, localization=sites, skin_tone=tones))
    present = described["skin_tone"].cat.remove_unused_categories().cat.categories
    assert list(present) == [str(tone) for tone in range(1, 11)]
    assert described["site"].nunique() == 16
    assert MERGED["site"][1] in set(described["site"])


def test_devices_are_groups_where_the_data_tell_them(drawn_study: Study) -> None:
    results = drawn_study(lesions=30)
    assert "device" not in describe_groups(results)
    devices = ["phone" if row % 3 else "unknown" for row in range(len(results.catalog))]
    described = describe_groups(changed(results, device=devices))
    assert list(described["device"].cat.remove_unused_categories().cat.categories) == [
        "phone",
        "unknown",
    ]


def test_nothing_is_said_of_patients_that_nobody_described(drawn_study: Study) -> None:
    results = drawn_study(classes=("benign", "malignant"))
    empty = changed(results, sex="unknown", age=np.nan, localization="unknown")
    assert score_subgroups(point_of(empty, 20), resamples=20).empty
    named = drawn_study(classes=("a", "b"))
    assert set(score_subgroups(point_of(named, 20), resamples=20)["metric"]) == {
        "balanced_accuracy"
    }
    # Benign and malignant are a decision.
    assert set(score_subgroups(point_of(results, 20), resamples=20)["metric"]) == {
        *("balanced_accuracy", "malignant_sensitivity", "malignant_specificity"),
    }


def test_an_unfinished_run_is_scored_on_what_all_arms_have(drawn_study: Study) -> None:
    results = drawn_study(lesions=90)
    partial = replace(results, trials=results.trials[:3])  # classic has fold 0 only
    table = score_subgroups(point_of(partial, 20), resamples=20)
    one_fold = table[(table["grouping"] == "sex") & (table["metric"] == "balanced_accuracy")]
    tested = one_fold.groupby("group")["images"].first().sum()
    assert tested == len(results.folds[0].test)
    nothing = replace(results, trials=())
    assert score_subgroups(point_of(nothing, 20)).empty
    assert score_calibration(nothing).empty
    assert reliability(nothing).empty
    assert score_operating_points(nothing).empty
