from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from drawn import recorded

from dermaug.config import Arm
from dermaug.experiment.run.records import ImageCounts
from dermaug.experiment.run.results import RunResults
from dermaug.experiment_file import validate_experiment
from dermaug.report.sections.arms import arm_table, arm_words

Study = Callable[..., RunResults]


def words(results: RunResults, *arms: Mapping[str, Any]) -> str:
    """What is told about a study with these arms."""
    tree = results.experiment.model_dump(exclude={"arms"}) | {"arms": list(arms)}
    tree["generators"] = []
    changed = replace(results, experiment=validate_experiment(tree, "test"))
    return " ".join(arm_words(changed, ()))


@pytest.mark.parametrize(
    ("arm", "told", "untold"),
    [
        ({"sampling": "balanced"}, "Class-balanced sampling: the difference", "eighted loss"),
        ({"loss": "weighted"}, "Weighted loss: the difference", "sampling"),
        ({"loss": "adjusted", "sampling": "sqrt"}, "Logit adjustment and square-root", "balanced"),
        ({"policy": "mixup"}, "Mixup: blended", "utmix"),
        ({"policy": "trivial"}, "", "blended"),
        (
            {"synthetic": {"folder": "x", "dose": 1}},
            "other: images of another tool; its provenance is not declared.",
            "declared by the user",
        ),
        (
            {
                "synthetic": {
                    "folder": "x",
                    "dose": 1,
                    "provenance": {"tool": "StyleGAN3", "trained_on": "other data"},
                }
            },
            "other: images drawn by StyleGAN3, trained on other data only, licence not declared "
            "(provenance declared by the user).",
            "not declared.",
        ),
    ],
)
def test_only_what_the_study_does_is_explained(
    drawn_study: Study, arm: Mapping[str, Any], told: str, untold: str
) -> None:
    found = words(drawn_study(), {"name": "real"}, {"name": "other"} | dict(arm))
    assert told in found
    assert untold not in found


def test_training_images_are_those_of_all_folds(drawn_study: Study) -> None:
    results = drawn_study()
    added = {0: 100, 1: 80}
    trials = tuple(
        recorded(trial, train_counts={"mel": ImageCounts(real=50, synthetic=added[trial.fold])})
        for trial in results.trials
    )
    table = arm_table(replace(results, trials=trials))
    assert table.rows[0][1:] == ("no augmentation, natural sampling", "none", "50", "80–100")
    assert "first" not in table.caption


def test_an_arm_is_called_alike_everywhere() -> None:
    assert Arm(name="real").treatment == "no augmentation"
    assert Arm(name="cut", policy="cutmix", loss="adjusted").treatment == "cutmix, logit adjustment"
