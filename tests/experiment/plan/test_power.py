from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermaug.experiment.plan.power import judged_comparisons, planned_power, power_sentences
from dermaug.experiment.run.results import RunResults
from dermaug.experiment_file import read_experiment
from dermaug.scoring.points import point_of
from dermaug.scoring.verdicts import verdict_table

Study = Callable[..., RunResults]
ROOT = Path(__file__).parents[3]


def test_the_quickstart_judges_three_arms() -> None:
    """Its replay, under class-balanced sampling, is a negative control and judged against none."""
    assert judged_comparisons(read_experiment(ROOT / "experiments/quickstart.toml")) == 3


def test_points_of_a_dose_curve_are_one_comparison() -> None:
    curve = read_experiment(ROOT / "experiments/controls.toml")
    named = {arm.curve or arm.name for arm in curve.compared_arms if not arm.replay_of}
    assert any(arm.curve for arm in curve.arms)
    assert judged_comparisons(curve) <= 2 * len(named) * len(curve.classifiers)


def test_the_plan_is_near_what_the_study_reports(drawn_study: Study) -> None:
    results = drawn_study(folds=2, seeds=(0, 1), lesions=60)
    found = planned_power(results.experiment, results.catalog, results.folds)
    table = verdict_table(point_of(results))
    means = table[table["family"] == "mean sensitivity"]
    assert found.comparisons == len(means) + 1  # the study is drawn without its replay
    reported = float(np.median(means["detectable"]))
    assert reported / 3 < found.balanced_accuracy < reported * 3


def test_a_class_of_few_test_lesions_is_named_and_has_no_figure(drawn_study: Study) -> None:
    results = drawn_study(folds=2, seeds=(0, 1), lesions=16)
    found = planned_power(results.experiment, results.catalog, results.folds)
    assert set(found.sensitivity.values()) == {None}
    assert any(line.startswith("too few test lesions") for line in power_sentences(found))


@pytest.mark.parametrize(("seeds", "judged"), [((0,), False), ((0, 1), True)])
def test_a_design_that_cannot_answer_is_warned_of(
    drawn_study: Study, seeds: tuple[int, ...], judged: bool
) -> None:
    results = drawn_study(folds=2, seeds=seeds, lesions=24)
    found = planned_power(results.experiment, results.catalog, results.folds)
    said = power_sentences(found)
    assert found.is_judged == judged
    assert any(line.startswith("warning: ") for line in said)
    assert any("no verdict will be given" in line for line in said) != judged
