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
    assert line.startswith(f"arm 'a': loss = 'weighted' and sampling = {whose} exclude each")


@pytest.mark.parametrize(
    ("arm", "reason"),
    [
        ({}, "needs real images and a dose"),
        ({"synthetic": {"dose": 5, "only": True}}, "needs real images and a dose"),
        ({"synthetic": {"dose": 5}, "policy": "mixup"}, "a blend of two images"),
        ({"synthetic": {"dose": 5, "first": 0.5}}, "exclude each other"),
    ],
)
def test_adjustment_by_source_needs_two_sources_that_stay_apart(
    arm: dict[str, object], reason: str
) -> None:
    with pytest.raises(DermaugError) as caught:
        asked({"name": "a", "loss": "adjusted_by_source"} | arm)
    assert reason in " ".join(caught.value.details)


def test_one_folder_is_of_one_fold_and_provenance_of_a_folder() -> None:
    mine = {"tool": "StyleGAN3", "trained_on": "training split"}
    arm = {"name": "a", "synthetic": {"folder": "x", "dose": 5, "provenance": mine}}
    tree = {"name": "x", "arms": [{"name": "real"}, arm]}
    with pytest.raises(DermaugError) as caught:
        validate_experiment(tree, "test")
    assert "one folder cannot be drawn from the training splits of 5 folds" in str(caught.value)
    found = validate_experiment(tree | {"splits": {"run": [0]}}, "test")
    replay = next(arm for arm in found.arms if arm.replay_of)
    assert replay.synthetic is not None
    assert replay.synthetic.provenance is None
    with pytest.raises(DermaugError) as caught:
        asked({"name": "a", "synthetic": {"dose": 5, "provenance": mine}})
    assert "that of a family is known" in str(caught.value)


@pytest.mark.parametrize("arm", [{"loss": "adjusted"}, {"loss": "plain"}])
def test_other_losses_go_with_any_sampling(arm: dict[str, object]) -> None:
    assert asked({"name": "a", "sampling": "balanced"} | arm)
    assert asked({"name": "a"} | arm, "sqrt")


def test_weights_go_with_natural_sampling_whatever_the_classifier_says() -> None:
    assert asked({"name": "a", "loss": "weighted", "sampling": "natural"}, "balanced")


def checked(*arms: dict[str, object], **changes: object) -> Experiment:
    tree = {"name": "x", "check_convergence": True, "arms": list(arms)}
    return validate_experiment(tree | changes, "test")


def test_the_first_arm_without_synthetic_images_comes_once_more_at_half_its_length() -> None:
    dose = {"name": "dose", "synthetic": {"family": "replay", "dose": 5}}
    half = {"name": "half", "half": True}
    asked_for = checked(dose, half, {"name": "real", "policy": "standard"}, {"name": "other"})
    *named, added = asked_for.arms
    assert [arm.name for arm in named] == ["dose", "half", "real", "other"]
    assert {arm.length for arm in named} == {1.0}
    assert (added.name, added.convergence_of, added.length) == ("real-half-length", "real", 0.5)
    assert added.policy == "standard"
    assert asked_for.reference == named[2]
    assert validate_experiment(asked_for.model_dump(mode="json"), "again") == asked_for


def test_without_the_check_or_an_arm_for_it() -> None:
    assert [arm.name for arm in checked({"name": "real"}, check_convergence=False).arms] == ["real"]
    dose = {"name": "dose", "synthetic": {"family": "replay", "dose": 5}}
    with pytest.raises(DermaugError, match="expected such an arm, found none"):
        checked(dose)


@pytest.mark.parametrize("key", ["length", "convergence_of", "curve", "replay_of"])
def test_what_dermaug_adds_is_no_key_of_the_file(key: str) -> None:
    with pytest.raises(DermaugError) as caught:
        checked({"name": "real", key: 0.5})
    (line,) = caught.value.details
    assert line.startswith(f"arms.0.{key}: unknown key")


@pytest.mark.parametrize(
    ("synthetic", "reason"),
    [
        ({"dose": 5, "start": 0.0}, "greater than 0"),
        ({"dose": 5, "start": 1.0}, "less than 1"),
        ({"dose": 5, "start_class": "nv"}, "start_class needs start"),
        ({"dose": 5, "start": 0.5, "family": "replay"}, "replay has none; remove start"),
        ({"dose": 5, "start": 0.5, "family": "oracle"}, "oracle has none; remove start"),
        ({"dose": 5, "start": 0.5, "folder": "x"}, "folder has none; remove start"),
    ],
)
def test_only_images_of_a_generator_start_from_others(
    synthetic: dict[str, object], reason: str
) -> None:
    with pytest.raises(DermaugError) as caught:
        asked({"name": "a", "synthetic": synthetic})
    assert reason in " ".join(caught.value.details)


def test_the_replay_of_a_translated_arm_starts_from_nothing() -> None:
    translated = {"family": "flow", "dose": 5, "start": 0.5, "start_class": "nv"}
    generators = [{"family": "flow"}]
    found = checked({"name": "r"}, {"name": "a", "synthetic": translated}, generators=generators)
    replay = next(arm for arm in found.arms if arm.replay_of)
    assert replay.synthetic is not None
    assert (replay.synthetic.translation, replay.synthetic.start_class) == (None, "")
