from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dermaug.experiment.run.results import RunResults
from dermaug.report.sections.answer import asked_first
from dermaug.report.sections.lead import plain_answer, plain_verdict, which_classifier
from dermaug.scoring.scoring import score
from dermaug.stats.outcomes import EQUIVALENT, HELPS, HURTS, INCONCLUSIVE, NOT_JUDGED

Study = Callable[..., RunResults]
ROW = {
    **{"model": "net", "arm": "more", "reference": "base", "scope": "all"},
    **{"readout": "prior-adjusted", "metric": "balanced_accuracy", "sentence": "As the table."},
    **{
        "difference": 0.031,
        "low": 0.012,
        "high": 0.05,
        "margin": 0.02,
        "p_equivalence": 0.7,
        "attainable": True,
        "detectable": np.inf,
    },
}
SIZE = "0.031, or 3.1 percentage points"
DIFFERENCE = "+0.031, or +3.1 percentage points"
INTERVAL = "(95 % interval +0.012 to +0.050)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": HELPS}, "more does better than base with the network net: mean "
         f"sensitivity (prior-adjusted) is higher by {SIZE} {INTERVAL}."),
        ({"verdict": HELPS, "p_equivalence": 0.01}, f"higher by {SIZE}, less than the margin of "
         f"0.02 {INTERVAL}."),
        ({"verdict": HURTS, "difference": -0.031}, "more does worse than base with the network "
         f"net: mean sensitivity (prior-adjusted) is lower by {SIZE}"),
        ({"verdict": EQUIVALENT}, "more does as well as base with the network net, within a "
         "margin of 0.02: the difference in mean sensitivity (prior-adjusted) is "
         f"{DIFFERENCE} {INTERVAL}."),
        ({"verdict": INCONCLUSIVE}, "Not settled: more may do better or worse than base with "
         "the network net; the difference in mean sensitivity (prior-adjusted) is "
         f"{DIFFERENCE} {INTERVAL}."),
        ({"verdict": INCONCLUSIVE, "low": -0.01}, "(95 % interval −0.010 to +0.050), as chance "
         "alone may give."),
        ({"verdict": INCONCLUSIVE, "metric": "macro_auc", "readout": "auc"}, "the difference in "
         f"macro AUC is +0.031 {INTERVAL}."),
        ({"verdict": INCONCLUSIVE, "attainable": False}, f"is {DIFFERENCE} {INTERVAL}, and after "
         "adjustment for all comparisons no possible gain would be significant."),
        ({"verdict": INCONCLUSIVE, "difference": -0.031}, "is −0.031, or −3.1 percentage points"),
        ({"verdict": INCONCLUSIVE, "detectable": 0.067}, f"{INTERVAL}. This study had 80 % power "
         "to find a difference of 0.067."),
        ({"verdict": NOT_JUDGED}, "As the table."),
    ],
)  # fmt: skip
def test_each_verdict_has_its_plain_sentence(change: dict[str, object], said: str) -> None:
    assert said in plain_verdict(ROW | change, generated=False)


def test_generated_images_are_named_and_a_contrast_without_a_number_has_no_answer(
    drawn_study: Study,
) -> None:
    results = drawn_study(seeds=(0, 1))
    scoring = score(results, 50)
    first, reach = plain_answer(results, scoring)
    assert "classic+synthetic (with generated images)" in first
    assert "Whether longer training of classic would change this was not measured" in reach
    unknown = scoring.verdicts.assign(difference=np.nan)
    assert plain_answer(results, replace(scoring, verdicts=unknown)) == []
    assert plain_answer(replace(results, trials=()), scoring) == []


@pytest.mark.parametrize(
    ("low", "high", "difference", "said"),
    [
        (0.03, 0.05, 0.04, "classic had not converged after 960 images shown, so this holds"),
        (
            0.01,
            0.05,
            0.04,
            "gained from the last doubling of its training (macro AUC +0.040), and whether it had "
            "converged after 960 images shown is open, so longer",
        ),
        (
            -0.01,
            0.01,
            0.0,
            "classic had converged within the margins after 960 images shown (other",
        ),
        (-0.01, 0.05, 0.01, "Whether classic had converged after 960 images shown is open"),
        (
            -0.07,
            0.01,
            -0.03,
            "classic did worse after 960 images shown than after half of them (macro AUC −0.030), "
            "so a shorter training may give a stronger baseline",
        ),
        (-0.02, -0.001, -0.01, "than after half of them (macro AUC −0.010), so a shorter"),
        (-0.03, 0.001, -0.015, "classic had converged within the margins after 960"),
    ],
)
def test_the_second_sentence_says_whether_the_baseline_had_converged(
    drawn_study: Study, low: float, high: float, difference: float, said: str
) -> None:
    results = drawn_study(seeds=(0, 1))
    scoring = score(results, 50)
    measured = pd.DataFrame(
        [
            {"model": "fridadar", "arm": arm, "readout": "auc", "scope": "all", "images": 960}
            | {"metric": "macro_auc"}
            | {"low": low, "high": high, "difference": difference, "margin": 0.02}
            for arm in ("classic", "real")
        ]
    )
    _, reach = plain_answer(results, replace(scoring, convergence=measured))
    assert said in reach


def test_several_networks_are_counted(drawn_study: Study) -> None:
    results = drawn_study(models=("fridadar", "resnet18"), seeds=(0, 1))
    _, _, tally, *_ = plain_answer(results, score(results, 50))
    assert tally.startswith("Of the 2 planned comparisons of arms with generated images")
    assert tally.endswith((" 2 are inconclusive.", " 1 is worse.", " 2 are worse."))
    once = drawn_study(models=("fridadar", "resnet18"), folds=1)
    first, reach, tally, *_ = plain_answer(once, score(once, 50))
    assert "not judged" in first
    assert "trained once" in reach
    assert "2 are not judged" in tally


def test_arms_without_generated_images_are_counted_and_said_not_to_be_compared(
    drawn_study: Study,
) -> None:
    skill = {"real": 0.2, "classic": 3.0, "adjusted": 2.9}
    results = drawn_study(skill=skill, seeds=(0, 1))
    _, _, tally, *_ = plain_answer(results, score(results, 200))
    told = "planned comparisons in mean sensitivity (prior-adjusted), of which this is one,"
    assert told in tally
    better = score(results, 200).verdicts.query("verdict == 'helps' and metric != 'macro_auc'")
    assert ("not compared with each other" in tally) == (better["arm"].nunique() > 1)


def test_the_classifier_to_take_is_the_first_of_the_baseline_unless_an_arm_helps(
    drawn_study: Study,
) -> None:
    drawn = drawn_study(seeds=(0, 1))
    asked = asked_first(drawn, score(drawn, 50))
    trials = tuple(
        replace(
            one,
            folder=drawn.folder
            / f"classifiers/{one.arm}/{one.model}/fold{one.fold}-seed{one.seed}",
        )
        for one in drawn.trials
    )
    results = replace(drawn, trials=trials)
    baseline = which_classifier(results, asked.assign(verdict=INCONCLUSIVE))
    assert "classifiers/classic/fridadar/fold0-seed0 of this run" in baseline
    helping = which_classifier(results, asked.assign(verdict=HELPS))
    assert "classifiers/classic+synthetic/fridadar/fold0-seed0 of this run" in helping
    assert which_classifier(replace(results, trials=()), asked) == ""
