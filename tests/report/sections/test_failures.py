"""Failure cases: the right images, the gravest first, each lesion once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from drawn import recorded

from dermaug.evaluation.predictions import probability_column
from dermaug.experiment.run.results import RunResults, TrialResult
from dermaug.report.sections.failures import MOST, failure_section, failures, grave_classes

Study = Callable[..., RunResults]


@pytest.fixture
def certain(drawn_study: Study) -> RunResults:
    """A study whose classifiers know every image; its prior is even."""
    study = drawn_study(folds=1, seeds=(0, 1))
    return replace(study, trials=tuple(told(trial, {}) for trial in study.trials))


def told(trial: TrialResult, wrong: dict[str, tuple[str, float]]) -> TrialResult:
    """A trial that gives images of `wrong` to another class with a probability, others to theirs.

    What is left goes to the true class.
    """
    table = trial.predictions.copy()
    for label in ("bkl", "nv", "mel"):
        table[probability_column(label)] = (table["label"] == label).astype(float)
    for image, (called, probability) in wrong.items():
        row = table["image_id"] == image
        true = table.loc[row, "label"].iloc[0]
        table.loc[row, probability_column(called)] = probability
        table.loc[row, probability_column(true)] = 1.0 - probability
    return recorded(replace(trial, predictions=table))


def with_wrong(study: RunResults, wrong: dict[str, tuple[str, float]]) -> RunResults:
    return replace(study, trials=tuple(told(trial, wrong) for trial in study.trials))


def own_lesions(study: RunResults, label: str) -> list[list[str]]:
    """Ids of the test images of a class, by lesion."""
    table = study.trials[0].predictions.query("part == 'test'")
    own = table[table["label"] == label]
    return [list(rows["image_id"]) for _, rows in own.groupby("lesion_id")]


def test_missed_melanomas_come_first_then_confidence_decides(certain: RunResults) -> None:
    nevi, melanomas, keratoses = (own_lesions(certain, label) for label in ("nv", "mel", "bkl"))
    wrong = {
        nevi[0][0]: ("mel", 0.99),
        keratoses[0][0]: ("mel", 0.95),
        melanomas[0][0]: ("nv", 0.7),
        melanomas[1][0]: ("bkl", 0.8),
    }
    found = failures(with_wrong(certain, wrong))
    assert list(found["image_id"]) == [
        *(melanomas[1][0], melanomas[0][0]),
        *(keratoses[0][0], nevi[0][0]),
    ]
    assert list(found["called"]) == ["bkl", "nv", "mel", "mel"]
    assert list(found["missed"]) == [True, True, False, False]
    assert set(found["trainings"]) == {len(certain.trials)}
    np.testing.assert_allclose(found["probability"], [0.8, 0.7, 0.95, 0.99])


def test_a_lesion_occurs_once_and_a_class_at_most_a_few_times(certain: RunResults) -> None:
    lesions = own_lesions(certain, "nv")
    assert max(map(len, lesions)) == 2
    found = failures(with_wrong(certain, {each: ("mel", 0.9) for own in lesions for each in own}))
    assert len(found) == found["lesion_id"].nunique() == len(lesions)
    some = with_wrong(certain, {own[0]: ("mel", 0.9) for own in lesions})
    (figure,) = failure_section(some).figures
    assert len(figure.panels) == min(MOST, len(lesions))
    assert {panel.title for panel in figure.panels} == {"mel 0.90"}
    assert len(figure.numbers) == len(lesions)


def test_probabilities_are_means_over_the_trainings(certain: RunResults) -> None:
    image = own_lesions(certain, "mel")[0][0]
    first, *others = certain.trials
    study = replace(certain, trials=(told(first, {image: ("nv", 1.0)}), *others))
    assert failures(study).empty, "one classifier alone is outvoted"
    assert failure_section(study).content == []
    assert failure_section(replace(certain, trials=())).content == []


def test_unknown_labels_have_no_graver_class() -> None:
    assert not grave_classes(["corn", "wart"]).any()
    assert list(grave_classes(["nv", "mel"])) == [False, True]
