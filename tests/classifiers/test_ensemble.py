"""Ensembles: each network is trained as if alone, and probabilities are averaged."""

from pathlib import Path

import pytest
import torch

from dermaug.classifiers.ensemble import Ensemble
from dermaug.classifiers.grad_cam import grad_cam
from dermaug.classifiers.model import (
    Classifier,
    ClassifierSpec,
    build_classifier,
    load_classifier,
    save_classifier,
)
from dermaug.config import ClassifierConfig

CLASSES = ("bcc", "mel", "nv")


def built(model: str, members: int) -> tuple[Classifier, ClassifierSpec]:
    torch.manual_seed(0)
    config = ClassifierConfig(model=model, members=members)
    spec = ClassifierSpec.of(config, CLASSES, 32)
    return build_classifier(config, spec, (0.5,) * 3, (0.25,) * 3).eval(), spec


def test_probabilities_are_the_mean_of_those_of_the_members() -> None:
    classifier, _ = built("fridadar", 3)
    images = torch.rand(5, 3, 32, 32)
    each = classifier.members(images).softmax(2)
    assert len({tuple(one.flatten().tolist()) for one in each}) == 3
    assert torch.allclose(classifier(images).softmax(1), each.mean(0), atol=1e-6)


def test_each_member_learns_from_its_own_loss() -> None:
    classifier, _ = built("fridadar", 2)
    first, second = classifier.network.networks  # type: ignore[union-attr, misc]
    classifier.members(torch.rand(4, 3, 32, 32))[0].sum().backward()
    assert all(weight.grad is not None for weight in first.parameters())
    assert all(weight.grad is None or not weight.grad.any() for weight in second.parameters())


@pytest.mark.parametrize("model", ["fridadar", "resnet10t"])
def test_a_saved_ensemble_predicts_the_same(model: str, tmp_path: Path) -> None:
    classifier, spec = built(model, 2)
    save_classifier(tmp_path / "classifier.safetensors", classifier, spec)
    again, told = load_classifier(tmp_path / "classifier.safetensors")
    images = torch.rand(2, 3, 32, 32)
    assert told == spec
    assert isinstance(again.network, Ensemble)
    assert torch.equal(again(images), classifier(images))
    assert again.features(images).shape == (2, 512 if model == "fridadar" else 1024)


def test_the_heads_and_a_map_of_an_ensemble() -> None:
    classifier, _ = built("resnet10t", 2)
    assert len(classifier.head) == 2
    heat = grad_cam(classifier, torch.rand(1, 3, 32, 32), 1)
    assert 0.0 <= float(heat.min()) <= float(heat.max()) <= 1.0
