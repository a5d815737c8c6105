"""Batch norm of its own for the dose: each part by itself, and nothing of it left afterwards."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from dermaug.classifiers import classifier_training as training
from dermaug.classifiers.classifier_training import CLASSIFIER, ClassifierTask, train_classifier
from dermaug.classifiers.dosed_norm import DosedNorm, expect, separate_dose, without_dose
from dermaug.classifiers.model import load_classifier
from dermaug.errors import DermaugError
from dermaug.training.order import Dosage

Make = Callable[..., ClassifierTask]
BATCH = 6


def images(number: int = BATCH, side: int = 32, seed: int = 0) -> Tensor:
    return torch.randn(number, 3, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=["resnet10t", "mobilenetv1_100"])
def network(request: pytest.FixtureRequest) -> nn.Module:
    """A small network whose layers are torch's, and one whose layers have an activation in them."""
    torch.manual_seed(0)
    built: nn.Module = timm.create_model(request.param, num_classes=3, drop_rate=0.0)
    return built.train()


def test_each_part_is_normalised_as_if_it_were_alone(network: nn.Module) -> None:
    real, dose = images(4, 64), 2.0 * images(2, 64, seed=1) + 1.0
    alone, other = copy.deepcopy(network), copy.deepcopy(network)
    expect(separate_dose(network, "net"), len(real), BATCH)
    found = network(torch.cat([real, dose]))
    torch.testing.assert_close(found[:4], alone(real))
    torch.testing.assert_close(found[4:], other(dose))
    kept = without_dose(network.state_dict())
    assert list(kept) == list(alone.state_dict())
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(kept[name], value)


def test_predictions_are_those_of_the_real_images_layers(network: nn.Module) -> None:
    plain = copy.deepcopy(network)
    for norm in separate_dose(network, "net"):
        with torch.no_grad():
            norm.dosed.weight.fill_(7.0)  # type: ignore[union-attr]
    torch.testing.assert_close(network.eval()(images()), plain.eval()(images()))


@pytest.mark.parametrize("real", [0, 1, BATCH - 1, BATCH])
def test_one_image_or_none_of_a_part(real: int) -> None:
    """At 32 px the last maps have one pixel, of which a lone image has no variance."""
    network = timm.create_model("mobilenetv1_100", num_classes=3).train()
    norms = separate_dose(network, "net")
    expect(norms, real, BATCH)
    network(images()).sum().backward()
    assert all(norm.training for norm in norms)
    for name, value in network.state_dict().items():
        assert torch.isfinite(value).all(), name
    first, last = norms[0], norms[-1]  # maps of 16 x 16 pixels, and of one
    assert [bool(first.num_batches_tracked), bool(last.num_batches_tracked)] == [real > 0, real > 1]
    dosed = BATCH - real
    moved = [bool(norm.dosed.num_batches_tracked) for norm in (first, last)]
    assert moved == [dosed > 0, dosed > 1]


def test_several_maps_of_an_image_stay_with_their_part() -> None:
    (norm,) = separate_dose(nn.Sequential(nn.BatchNorm2d(3)), "net")
    expect([norm], 1, 3)
    maps = images(6)
    expected = [nn.BatchNorm2d(3)(maps[:2]), nn.BatchNorm2d(3)(maps[2:])]
    torch.testing.assert_close(norm(maps), torch.cat(expected))


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        (nn.Conv2d(3, 3, 3), "net, which has none"),
        (nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm1d(3)), "net, which has 1 of another kind"),
    ],
)
def test_network_whose_norms_cannot_be_parted_is_refused(layer: nn.Module, found: str) -> None:
    with pytest.raises(DermaugError, match=found):
        separate_dose(nn.Sequential(layer), "net")


@pytest.fixture
def make(classifier_task: Make) -> Callable[[Path], ClassifierTask]:
    """A task whose last twenty images are a dose of their own norm."""

    def task(folder: Path) -> ClassifierTask:
        plain = classifier_task(folder, model="resnet10t", images=160, ema=0.9)
        return replace(plain, dosage=Dosage(20), own_norm=True)

    return task


def test_training_leaves_a_plain_network(
    tmp_path: Path, fabric: Fabric, make: Callable[[Path], ClassifierTask]
) -> None:
    trained = train_classifier(make(tmp_path / "own"), fabric)
    classifier, _ = load_classifier(tmp_path / "own" / CLASSIFIER)
    assert trained.parameters == sum(each.numel() for each in classifier.parameters())
    shared = train_classifier(replace(make(tmp_path / "shared"), own_norm=False), fabric)
    assert shared.parameters == trained.parameters
    assert shared.digest != trained.digest


def test_without_a_dose_in_sight_it_is_the_plain_training(
    tmp_path: Path, fabric: Fabric, make: Callable[[Path], ClassifierTask]
) -> None:
    none = Dosage(20, share=1e-12)
    own = train_classifier(replace(make(tmp_path / "own"), dosage=none), fabric)
    plain = replace(make(tmp_path / "plain"), dosage=none, own_norm=False)
    assert train_classifier(plain, fabric).digest == own.digest


def test_interrupted_training_ends_as_if_it_had_not_been(
    tmp_path: Path,
    fabric: Fabric,
    make: Callable[[Path], ClassifierTask],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train_classifier(make(tmp_path / "whole"), fabric)
    steps = iter(range(100))
    step = training._step

    def stop_after_5(*arguments: object) -> Tensor:
        if next(steps) == 5:
            raise KeyboardInterrupt
        return step(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(training, "_step", stop_after_5)
        with pytest.raises(KeyboardInterrupt):
            train_classifier(make(tmp_path / "cut"), fabric)
    train_classifier(make(tmp_path / "cut"), fabric)
    assert (tmp_path / "cut" / CLASSIFIER).read_bytes() == (
        tmp_path / "whole" / CLASSIFIER
    ).read_bytes()


def test_the_dose_comes_last_in_its_batch(tmp_path: Path, fabric: Fabric, make: Make) -> None:
    task = make(tmp_path)
    state = training._State(task, fabric)
    rows = torch.tensor([45, 3, 59, 39, 40, 0]).numpy()
    assert training._real_first(task, state, rows).tolist() == [1, 3, 5, 0, 2, 4]
    assert all(isinstance(norm, DosedNorm) for norm in state.norms)
    assert {(norm.real, norm.batch) for norm in state.norms} == {(3, 6)}
