"""Training of classifiers: it learns, repeats, goes on after a kill, and stops on NaN."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from stopped import stopping_after
from torch.nn import functional

from dermaug.classifiers import classifier_training as training
from dermaug.classifiers import criterion
from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import load_classifier
from dermaug.classifiers.trial_steps import ClassifierTask
from dermaug.console import overheard
from dermaug.errors import DermaugError, StoppedEarly
from dermaug.training.checkpoint import load_checkpoint
from dermaug.training.file_names import CLASSIFIER
from dermaug.training.journal import read_journal
from dermaug.training.order import Dosage
from dermaug.training.resume import LAST

Make = Callable[..., ClassifierTask]


def weights(folder: Path) -> bytes:
    return (folder / CLASSIFIER).read_bytes()


def journal(folder: Path) -> list[dict[str, float]]:
    rows = read_journal(folder / "journal.jsonl")
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_it_learns_and_keeps_the_best(
    tmp_path: Path, fabric: Fabric, classifier_task: Make
) -> None:
    task = classifier_task(tmp_path, images=1_920, rate=3e-3)
    trained = train_classifier(task, fabric).training
    scores = [row["validation_balanced_accuracy"] for row in journal(tmp_path)]
    assert trained is not None
    assert trained.kept_score == pytest.approx(max(scores), abs=1e-5)
    assert trained.kept_score > 0.8
    classifier, _ = load_classifier(tmp_path / CLASSIFIER)
    labels = task.validation.labels.numpy()
    hits = predict(classifier, task.validation).argmax(1) == labels
    balanced = np.mean([hits[labels == label].mean() for label in range(3)])
    assert balanced == pytest.approx(trained.kept_score)


@pytest.mark.parametrize("settings", [{}, {"optimizer": "sgd", "ema": 0.9, "sampling": "sqrt"}])
def test_same_seed_same_bytes_and_another_seed_others(
    tmp_path: Path, fabric: Fabric, classifier_task: Make, settings: dict[str, object]
) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_classifier(classifier_task(tmp_path / name, seed=seed, **settings), fabric)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert journal(tmp_path / "a") == journal(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


def test_the_prior_of_a_loss_adjusted_by_source_is_that_of_real_images(
    tmp_path: Path, fabric: Fabric, classifier_task: Make
) -> None:
    priors = {}
    for loss in ("plain", "adjusted", "adjusted_by_source"):
        task = classifier_task(tmp_path / loss, images=320)
        task.training.labels[-20:] = 2  # the dose
        trained = train_classifier(replace(task, loss=loss, dosage=Dosage(20)), fabric)
        priors[loss] = list(trained.prior.values())
    assert priors["adjusted_by_source"] == pytest.approx([1 / 3] * 3, abs=1e-6)
    assert priors["adjusted"] == pytest.approx([1 / 3] * 3, abs=1e-6)
    contents = {weights(tmp_path / loss) for loss in priors}
    assert len(contents) == 3


@pytest.mark.parametrize(
    ("settings", "is_last_whole"),
    [({}, True), ({"optimizer": "sgd", "ema": 0.9, "keep": "best"}, False)],
)
def test_interrupted_training_ends_as_if_it_had_not_been(
    tmp_path: Path,
    fabric: Fabric,
    classifier_task: Make,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, object],
    is_last_whole: bool,
) -> None:
    train_classifier(classifier_task(tmp_path / "whole", **settings), fabric)
    steps = iter(range(100))

    def stop_after_27(*arguments: object, **keywords: object) -> torch.Tensor:
        if next(steps) == 27:
            raise KeyboardInterrupt
        return functional.cross_entropy(*arguments, **keywords)

    cut = classifier_task(tmp_path / "cut", **settings)
    with monkeypatch.context() as patch:
        patch.setattr(criterion, "cross_entropy", stop_after_27)
        with pytest.raises(KeyboardInterrupt):
            train_classifier(cut, fabric)
    last = cut.folder / LAST
    if not is_last_whole:  # the checkpoint before is resumed from
        last.write_bytes(last.read_bytes()[:-1])
    train_classifier(cut, fabric)
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    assert journal(tmp_path / "cut") == journal(tmp_path / "whole")


def test_training_stopped_between_two_checkpoints_goes_on_from_its_step(
    tmp_path: Path, fabric: Fabric, classifier_task: Make
) -> None:
    train_classifier(classifier_task(tmp_path / "whole", ema=0.9), fabric)
    cut = classifier_task(tmp_path / "cut", ema=0.9)
    with overheard(stopping_after(17 * 16)), pytest.raises(StoppedEarly):
        train_classifier(cut, fabric)
    assert load_checkpoint(cut.folder / LAST)["step"] == 17
    train_classifier(cut, fabric)
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    assert journal(tmp_path / "cut") == journal(tmp_path / "whole")


def test_linear_probe_leaves_the_backbone_alone(
    tmp_path: Path, fabric: Fabric, classifier_task: Make
) -> None:
    task = classifier_task(tmp_path, model="resnet10t", frozen_fraction=1.0, images=64)
    start = training.ClassifierSteps(task, fabric).classifier.state_dict()
    train_classifier(task, fabric)
    end = load_classifier(tmp_path / CLASSIFIER)[0].state_dict()
    changed = {key for key in start if not torch.equal(start[key], end[key])}
    assert changed == {"network.fc.weight", "network.fc.bias"}


def test_loss_that_is_no_number_stops_and_says_so(
    tmp_path: Path, fabric: Fabric, classifier_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = classifier_task(tmp_path)

    def broken(*arguments: object, **keywords: object) -> torch.Tensor:
        return functional.cross_entropy(*arguments, **keywords) * float("nan")

    monkeypatch.setattr(criterion, "cross_entropy", broken)
    with pytest.raises(DermaugError, match="the training loss is nan after 160 images"):
        train_classifier(task, fabric)


def test_soft_labels_are_what_is_taught(
    tmp_path: Path, fabric: Fabric, classifier_task: Make
) -> None:
    task = classifier_task(tmp_path / "soft")
    everything_large = np.tile([1.0, 0.0, 0.0], (len(task.training), 1))
    trained = train_classifier(replace(task, soft=everything_large), fabric).training
    assert trained is not None
    assert trained.kept_score == pytest.approx(1 / 3)
    plain = train_classifier(classifier_task(tmp_path / "plain"), fabric).training
    assert plain is not None
    assert plain.kept_score > 1 / 3
