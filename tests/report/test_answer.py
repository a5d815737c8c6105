from collections.abc import Callable
from dataclasses import replace

from dermaug.experiment.comparisons import compare_arms
from dermaug.experiment.results import RunResults
from dermaug.experiment.scores import score_cells
from dermaug.experiment.verdicts import sentence, verdict_table
from dermaug.report.answer import primary_contrasts, short_answer, unfinished
from dermaug.stats.tally import ALL
from dermaug.stats.verdicts import EXPLORATORY, HELPS, NO_EVIDENCE

Study = Callable[..., RunResults]


def answer_of(results: RunResults) -> list[str]:
    compared = compare_arms(results, 50)
    return short_answer(results, score_cells(results), compared, verdict_table(results, 50))


def test_the_answer_is_that_of_the_verdict_table(drawn_study: Study) -> None:
    """An interval that excludes zero is no verdict when Holm's rule says that it is none."""
    results = drawn_study(seeds=(0, 1))
    scores, compared = score_cells(results), compare_arms(results, 50)
    verdicts = verdict_table(results, 50)
    asked = (verdicts["scope"] == ALL) & (verdicts["arm"] == "classic+synthetic")
    asked &= verdicts["reference"] == "classic"
    for word, p in ((HELPS, 0.04), (NO_EVIDENCE, 0.06)):
        numbers = {"difference": 0.02, "low": 0.01, "high": 0.03, "p_holm": p, "verdict": word}
        row = verdicts[asked].assign(**numbers)
        row = row.assign(sentence=[sentence(each) for each in row.to_dict("records")])
        told = short_answer(results, scores, compared, row)[0]
        assert ("no evidence that" in told) == (word == NO_EVIDENCE)
        assert "+0.010 to +0.030" in told
    exploratory = verdicts[asked].assign(verdict=EXPLORATORY)
    assert "nothing to compare" in short_answer(results, scores, compared, exploratory)[0]


def test_the_question_is_about_the_synthetic_arm_against_its_control_and_its_replay(
    drawn_study: Study,
) -> None:
    assert primary_contrasts(drawn_study()) == [
        ("classic+synthetic", "classic"),
        ("classic+synthetic", "classic+synthetic-replay"),
    ]
    plain = drawn_study(skill={"real": 1.0, "classic": 2.0})
    assert primary_contrasts(plain) == [("classic", "real")]
    without = drawn_study(skill={"real": 1.0, "synthetic": 2.0})
    assert primary_contrasts(without) == [
        ("synthetic", "real"),
        ("synthetic", "synthetic-replay"),
    ]


def test_one_training_an_arm_is_owned_up_to(drawn_study: Study) -> None:
    once = drawn_study(folds=1)
    assert "trained once" in " ".join(answer_of(once))
    twice = drawn_study(folds=1, seeds=(0, 1))
    words = " ".join(answer_of(twice))
    assert "trained once" not in words
    assert "2 pairs" in words


def test_without_pairs_there_is_no_answer(drawn_study: Study) -> None:
    results = drawn_study()
    none = replace(results, cells=())
    assert "no answer" in answer_of(none)[0]
    alone = replace(results, cells=results.cells[:1])
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
        replace(cell, predictions=cell.predictions.assign(**constant)) for cell in results.cells
    )
    assert "no arm does better than chance" in " ".join(answer_of(replace(results, cells=guessing)))
    assert "chance" not in " ".join(answer_of(drawn_study()))
