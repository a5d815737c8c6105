"""What an experiment may not ask for, told before anything is read."""

import pytest

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment_file import validate_experiment


def asked(arm: dict[str, object], sampling: str = "natural") -> Experiment:
    classifiers = [{"model": "fridadar"}, {"model": "resnet10t", "sampling": sampling}]
    tree = {"name": "x", "classifiers": classifiers, "arms": [{"name": "real"}, arm]}
    return validate_experiment(tree, "test")


@pytest.mark.parametrize(
    ("arm", "sampling", "whose"),
    [
        ({"sampling": "balanced"}, "natural", "'balanced' (of the arm)"),
        ({"sampling": "sqrt"}, "natural", "'sqrt' (of the arm)"),
        ({}, "balanced", "'balanced' (of classifier 'resnet10t')"),
        ({}, "sqrt", "'sqrt' (of classifier 'resnet10t')"),
    ],
)
def test_rare_classes_are_not_made_up_for_twice(
    arm: dict[str, object], sampling: str, whose: str
) -> None:
    with pytest.raises(DermaugError) as caught:
        asked({"name": "a", "loss": "weighted"} | arm, sampling)
    (line,) = caught.value.details
    assert line.startswith(f"arm 'a': loss = 'weighted' and sampling = {whose} contradict each")


@pytest.mark.parametrize("arm", [{"loss": "adjusted"}, {"loss": "plain"}])
def test_other_losses_go_with_any_sampling(arm: dict[str, object]) -> None:
    assert asked({"name": "a", "sampling": "balanced"} | arm)
    assert asked({"name": "a"} | arm, "sqrt")


def test_weights_go_with_natural_sampling_whatever_the_classifier_says() -> None:
    assert asked({"name": "a", "loss": "weighted", "sampling": "natural"}, "balanced")
