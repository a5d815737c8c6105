from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import scored, verdicts_of

from dermaug.experiment.plan.comparisons import NEGATIVE
from dermaug.experiment.run.results import RunResults
from dermaug.report.formats import with_interval
from dermaug.report.sections.answer import (
    converged,
    short_answer,
    thresholds,
    training_noise,
    unfinished,
)
from dermaug.scoring.verdict_words import sentence
from dermaug.stats.outcomes import EQUIVALENT, EXPLORATORY, HELPS, HURTS, INCONCLUSIVE

Study = Callable[..., RunResults]


def answer_of(results: RunResults) -> list[str]:
    return short_answer(results, scored(results))


def test_the_answer_is_that_of_the_verdict_table(drawn_study: Study) -> None:
    """An interval that excludes zero is no verdict when Holm's rule says that it is none."""
    results = drawn_study(seeds=(0, 1))
    scoring = scored(results)
    verdicts = scoring.verdicts
    asked = (verdicts["family"] == "mean sensitivity") & (verdicts["arm"] == "classic+synthetic")
    for word, p in ((HELPS, 0.04), (INCONCLUSIVE, 0.06)):
        row = verdicts[asked].assign(
            difference=0.02, low=0.01, high=0.03, p_holm=p, verdict=word, p_equivalence=np.nan
        )
        row = row.assign(sentence=[sentence(each) for each in row.to_dict("records")])
        told = short_answer(results, replace(scoring, verdicts=pd.concat([row, verdicts[~asked]])))
        assert ("is inconclusive" in told[0]) == (word == INCONCLUSIVE)
        assert "+0.010 to +0.030" in told[0]


def moved(verdicts: pd.DataFrame, word: str) -> pd.DataFrame:
    """The table as if argmax alone had moved, and the two other readouts had a verdict."""
    table = verdicts[(verdicts["arm"] == "classic") & (verdicts["scope"] == "all")].copy()
    at_argmax = (table["readout"] == "argmax") & (table["metric"] == "balanced_accuracy")
    table.loc[at_argmax, ["difference", "low", "high"]] = [0.19, 0.13, 0.25]
    table.loc[table["family"] != "", "verdict"] = word
    table.loc[table["family"] != "", ["low", "high"]] = [-0.05, 0.05]
    return table


def test_a_moved_threshold_is_one_only_where_both_others_are_equivalent(
    drawn_study: Study,
) -> None:
    verdicts = verdicts_of(drawn_study(seeds=(0, 1)), 50)
    (sure,) = thresholds(moved(verdicts, EQUIVALENT))
    assert "is a moved threshold" in sure
    assert "+0.190" in sure
    (unsure,) = thresholds(moved(verdicts, INCONCLUSIVE))
    assert "may be a moved threshold" in unsure
    # A loss that no read-out settles, but that all of them show, is no moved threshold.
    shown = moved(verdicts, INCONCLUSIVE)
    fair = (shown["readout"] == "prior-adjusted") & (shown["metric"] == "balanced_accuracy")
    shown.loc[fair, ["difference", "low", "high"]] = [0.17, 0.02, 0.30]
    assert thresholds(shown) == []
    # Ranking shows a gain as well, but prior-adjusted decisions a much smaller one.
    (partly,) = thresholds(moved(verdicts, HELPS))
    assert "+0.190 at argmax and " in partly
    assert "may be a moved threshold" in partly
    unmoved = moved(verdicts, HELPS)
    fair = unmoved["metric"] == "balanced_accuracy"
    unmoved.loc[fair, "difference"] = 0.19
    assert thresholds(unmoved) == []
    (against,) = thresholds(moved(verdicts, HURTS))  # the others say the opposite
    assert "may be a moved threshold" in against
    assert thresholds(moved(verdicts, EXPLORATORY)) == []


def test_one_training_an_arm_is_owned_up_to(drawn_study: Study) -> None:
    once = " ".join(answer_of(drawn_study(folds=1)))
    assert "trained once" in once
    assert "not judged" in once
    twice = " ".join(answer_of(drawn_study(folds=1, seeds=(0, 1))))
    assert "trained once" not in twice
    assert "The intervals cover the choice of test groups and classifier seeds" in twice


def test_convergence_is_said_in_both_judged_metrics(drawn_study: Study) -> None:
    skill = {"real": 1.0, "classic": 1.2}
    assert "was not measured" in " ".join(answer_of(drawn_study(skill=skill, seeds=(0, 1))))
    skill = {"real": 2.0, "classic": 2.0, "real-half-length": 0.5}
    rising = drawn_study(skill=skill, seeds=(0, 1))
    told = " ".join(answer_of(rising))
    assert (
        "From 500 to 1,000 images shown, in separate trainings, the baseline real with fridadar"
        in told
    )
    assert "in mean sensitivity (prior-adjusted) (95 % interval" in told
    assert "in macro AUC (95 % interval" in told
    assert "converged, since the" in told


def test_convergence_is_claimed_no_further_than_the_intervals_go(drawn_study: Study) -> None:
    skill = {"real": 1.0, "classic": 1.2, "real-half-length": 1.0}
    table = scored(drawn_study(skill=skill, seeds=(0, 1))).convergence
    assert list(table["metric"]) == ["balanced_accuracy", "macro_auc"]
    (sure,) = converged(table.assign(low=-0.01, high=table["margin"], difference=0.0))
    assert "it has converged within the margins. The other arms were not checked" in sure
    (unsure,) = converged(table.assign(low=-0.1, high=0.1))
    assert "whether it has converged is open" in unsure
    (partly,) = converged(table.assign(low=-0.1, high=[0.0, 0.1]))
    assert "since the interval of the gain in macro AUC includes the margin" in partly
    (rising,) = converged(table.assign(low=[0.03, 0.0], high=0.1))
    assert "it has not converged, since the gain in mean sensitivity (prior-adjusted)" in rising
    assert "macro AUC exceeds" not in rising
    (falling,) = converged(table.assign(low=-0.1, high=0.0, difference=[-0.03, 0.0]))
    assert "longer training did not improve it, and a shorter one may give a stronger" in falling


def test_a_negative_control_says_how_much_training_noise_there_is(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    verdicts = scored(results).verdicts
    assert training_noise(verdicts, results.experiment) == []
    control = verdicts["arm"] == "classic"
    (told,) = training_noise(
        verdicts.assign(role=np.where(control, NEGATIVE, verdicts["role"])), results.experiment
    )
    assert "the negative control classic, which" in told
    row = verdicts[control & (verdicts["metric"] == "balanced_accuracy")]
    row = row[row["readout"] == "prior-adjusted"].iloc[0]
    assert with_interval(row.to_dict()) in told


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_one_training_of_a_generator_per_fold_is_not_covered(
    drawn_study: Study, seeds: tuple[int, ...]
) -> None:
    results = drawn_study(skill={"classic": 1.0, "classic+synthetic": 1.0}, seeds=(0, 1))
    (generator,) = results.experiment.generators
    trained = (generator.model_copy(update={"seeds": seeds}),)
    asked = results.experiment.model_copy(update={"generators": trained})
    told = answer_of(replace(results, experiment=asked))[-1]
    assert ("other trainings of the generators" in told) == (len(seeds) == 1)


def test_without_pairs_there_is_no_answer(drawn_study: Study) -> None:
    results = drawn_study()
    none = replace(results, trials=())
    assert "no answer" in answer_of(none)[0]
    alone = replace(results, trials=results.trials[:1])
    assert "nothing to compare" in answer_of(alone)[0]


def test_a_generator_of_several_classes_counts_once(drawn_study: Study) -> None:
    results = drawn_study()
    both = tuple(
        replace(generator, label=label)
        for generator in results.generators
        for label in ("nv", "mel")
    )
    assert unfinished(replace(results, generators=both)) == ()
    half = unfinished(replace(results, generators=both[:2]))
    assert "1 of 2 generators" in half[0]


def test_networks_that_guess_are_called_so(drawn_study: Study) -> None:
    results = drawn_study(skill={"real": 0.0, "classic": 0.0}, lesions=8)
    constant = {"p_bkl": 0.6, "p_nv": 0.2, "p_mel": 0.2}
    guessing = tuple(
        replace(trial, predictions=trial.predictions.assign(**constant)) for trial in results.trials
    )
    assert "no arm does better than chance" in " ".join(
        answer_of(replace(results, trials=guessing))
    )
    assert "chance" not in " ".join(answer_of(drawn_study()))
