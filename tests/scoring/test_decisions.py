"""Numbers that a decision may rest on, against independent computations."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import scored

from dermaug.evaluation.calibration import brier_score, negative_log_likelihood
from dermaug.evaluation.operating_points import Scored, at_threshold, threshold_finding
from dermaug.experiment.run.results import RunResults
from dermaug.experiment_file import validate_experiment
from dermaug.report.blocks import Table
from dermaug.report.sections.operating import operating_sections
from dermaug.scoring.calibration_scores import score_calibration
from dermaug.scoring.decisions import decisions
from dermaug.scoring.operating_scores import score_operating_points
from dermaug.scoring.points import point_of
from dermaug.scoring.target_scores import RULES
from dermaug.scoring.verdicts import verdict_table
from dermaug.stats.class_metrics import LOSSES
from dermaug.stats.outcomes import FEWEST_GROUPS

Study = Callable[..., RunResults]
CLASSES = ("bcc", "bkl", "mel", "nv")
PLACE = ["arm", "reference", "readout", "scope", "metric"]


@pytest.fixture(scope="module")
def results(drawn_study: Study) -> RunResults:
    return drawn_study(classes=CLASSES, lesions=40, seeds=(0, 1))


@pytest.fixture(scope="module")
def table(results: RunResults) -> pd.DataFrame:
    return decisions(point_of(results, 200)).set_index(PLACE).sort_index()


def test_arms_have_the_rates_of_their_trials(results: RunResults, table: pd.DataFrame) -> None:
    """Pooled over folds: weighted by the images that each rests on."""
    points = score_operating_points(results)
    points["rule"] = [
        rule if np.isnan(wanted) else f"{100 * wanted:.0f} % specificity"
        for rule, wanted in zip(points["rule"], points["wanted_specificity"], strict=True)
    ]
    for (arm, target, rule), rows in points.groupby(["arm", "target", "rule"]):
        for metric, images in (("sensitivity", "positives"), ("specificity", "negatives")):
            expected = np.average(rows[metric], weights=rows[images])
            assert table.loc[(arm, "", rule, target, metric), "value"] == pytest.approx(expected)


def test_predictive_values_are_at_the_prevalence_of_the_experiment(results: RunResults) -> None:
    tree = results.experiment.model_dump()
    tree["verdict"]["prevalence"] = {"mel": 0.2}
    common = replace(results, experiment=validate_experiment(tree, "test"))
    scoring = scored(common)
    rows = scoring.decisions
    place = (rows["arm"] == "real") & (rows["readout"] == "argmax") & (rows["scope"] == "mel")
    found = rows[place & (rows["reference"] == "")].set_index("metric")["value"]
    hits, alarms = 0.2 * found["sensitivity"], 0.8 * (1 - found["specificity"])
    assert found["ppv"] == pytest.approx(hits / (hits + alarms))
    captions = [
        block.caption
        for section in operating_sections(common, scoring)
        for block in section.content
        if isinstance(block, Table)
    ]
    assert any("assumed prevalence of 20 %" in each for each in captions)
    assert any("assumed prevalence of 5 %" in each for each in captions)


def test_a_wanted_sensitivity_is_had_on_validation() -> None:
    random = np.random.default_rng(0)
    part = Scored(random.random(200) < 0.3, random.random(200).round(2))
    for wanted in (0.8, 0.9, 0.95, 1.0):
        threshold = threshold_finding(part, wanted)
        sensitivity, specificity = at_threshold(part, threshold)
        assert sensitivity >= wanted
        candidates = [at_threshold(part, each) for each in (-1.0, *np.unique(part.scores))]
        assert specificity >= max(s for found, s in candidates if found >= wanted)


def test_scores_and_areas_are_those_of_the_other_tables(
    results: RunResults, table: pd.DataFrame
) -> None:
    trials = score_calibration(results)
    for arm, rows in trials.groupby("arm"):
        for loss in LOSSES:
            expected = np.average(rows[loss], weights=rows["images"])
            found = table.loc[(arm, "", "calibration", "all", loss), "value"]
            assert found == pytest.approx(expected)
    told = verdict_table(point_of(results, 200)).set_index(PLACE)
    for scope, metric in (("mel", "auc"), ("all", "macro_auc")):
        place = "classic", "real", "auc", scope, metric
        for mine, theirs in (("value", "difference"), ("low", "low"), ("high", "high")):
            assert table.loc[place, mine] == pytest.approx(told.loc[place, theirs], abs=1e-6)


def test_differences_are_those_of_judged_contrasts(
    results: RunResults, table: pd.DataFrame
) -> None:
    flat = table.reset_index()
    pairs = set(zip(flat["arm"], flat["reference"], strict=True)) - {
        (arm.name, "") for arm in results.experiment.arms
    }
    told = verdict_table(point_of(results, 20))
    judged = told[told["family"] != ""]
    assert pairs == set(zip(judged["arm"], judged["reference"], strict=True))
    assert not flat.duplicated(PLACE).any()
    for arm, reference in pairs:
        places = (arm, ""), (reference, ""), (arm, reference)
        own, other, gap = (table.loc[place] for place in places)
        np.testing.assert_allclose(gap["value"], own["value"] - other["value"], atol=1e-9)
    assert (flat["low"] <= flat["value"]).all()
    assert (flat["value"] <= flat["high"]).all()
    arms = flat[(flat["reference"] == "") & ~flat["metric"].isin(["slope", "intercept"])]
    assert (arms["low"] >= 0).all()


def test_thresholds_are_not_chosen_on_test(results: RunResults) -> None:
    """Other test predictions leave the share called at a wanted specificity to themselves."""
    trial = results.trials[0]
    spoilt = trial.predictions.copy()
    columns = [name for name in spoilt if name.startswith("p_")]
    is_test = spoilt["part"] == "test"
    spoilt.loc[is_test, columns] = np.eye(len(CLASSES))[CLASSES.index("mel")]
    alone = replace(results, trials=(replace(trial, predictions=spoilt),))
    found = decisions(point_of(alone, 20)).set_index(PLACE)
    for rule in RULES:
        assert found.loc[(trial.arm, "", rule, "mel", "sensitivity"), "value"] == 1.0
        assert found.loc[(trial.arm, "", rule, "mel", "specificity"), "value"] == 0.0


def test_few_groups_have_no_interval(drawn_study: Study) -> None:
    few = drawn_study(classes=CLASSES, lesions=12)
    found = decisions(point_of(few, 20))
    small = (found["num_groups"] < FEWEST_GROUPS) & (found["scope"] != "all")
    assert small.any()
    assert found.loc[small, ["low", "high"]].isna().all().all()


def test_other_classes_have_areas_and_scores_alone(drawn_study: Study) -> None:
    found = decisions(point_of(drawn_study(classes=("benign", "other")), 20))
    assert set(found["readout"]) == {"auc", "calibration"}
    assert decisions(point_of(replace(drawn_study(), trials=()), 20)).empty


def test_what_each_image_costs_adds_up() -> None:
    random = np.random.default_rng(1)
    labels, given = random.integers(3, size=50), random.dirichlet(np.ones(3), 50)
    whole = {"brier": brier_score, "nll": negative_log_likelihood}
    for name, loss in LOSSES.items():
        assert loss(labels, given).mean() == pytest.approx(whole[name](labels, given))
