from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from dermaug.experiment.comparisons import compare_arms
from dermaug.experiment.results import RunResults
from dermaug.experiment.scores import score_cells
from dermaug.report.answer import primary_contrasts, short_answer, unfinished, verdict

Study = Callable[..., RunResults]


def answer_of(results: RunResults) -> list[str]:
    return short_answer(results, score_cells(results), compare_arms(results, 50))


def row(low: float, middle: float, high: float) -> pd.Series:
    return pd.Series(
        {
            "model": "cnn",
            "arm": "b",
            "reference": "a",
            "pooled_difference": middle,
            "low": low,
            "high": high,
            "lesions": 1234,
        }
    )


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0.01, 0.02, 0.03), "b has a higher mean sensitivity than a"),
        ((-0.03, -0.02, -0.01), "b has a lower mean sensitivity than a"),
        ((-0.01, 0.02, 0.05), "no evidence that b and a differ"),
        ((0.0, 0.02, 0.05), "no evidence that b and a differ"),
        ((float("nan"),) * 3, "no evidence that b and a differ"),
    ],
)
def test_the_verdict_follows_the_interval(numbers: tuple, words: str) -> None:
    sentence = verdict(row(*numbers))
    assert words in sentence
    assert "1,234 test lesions" in sentence


def test_the_question_is_about_the_synthetic_arm_against_its_own_control(
    drawn_study: Study,
) -> None:
    assert primary_contrasts(drawn_study()) == [("classic+synthetic", "classic")]
    plain = drawn_study(skill={"real": 1.0, "classic": 2.0})
    assert primary_contrasts(plain) == [("classic", "real")]
    without = drawn_study(skill={"real": 1.0, "synthetic": 2.0})
    assert primary_contrasts(without) == [("synthetic", "real")]


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
