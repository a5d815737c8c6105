"""Trainings as one are the trainings one after the other."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from dermaug.generators import FAMILIES, dcgan
from dermaug.generators import generator_training as loop
from dermaug.generators.generator_training import train_generator, train_generators
from dermaug.generators.objectives import discriminator_loss
from dermaug.generators.state import GENERATOR, GeneratorTask
from dermaug.training.checkpoint import RESUME, load_checkpoint
from dermaug.training.fabric import start_fabric
from dermaug.training.journal import read_journal

Make = Callable[..., GeneratorTask]
Tasks = Callable[[str], list[GeneratorTask]]
SEEDS = (0, 1, 2)


@pytest.fixture
def fabric() -> Fabric:
    return start_fabric("cpu", "32-true")


@pytest.fixture
def tasks(tmp_path: Path, generator_task: Make) -> Tasks:
    def make(name: str) -> list[GeneratorTask]:
        return [generator_task(tmp_path / name / str(seed), seed=seed) for seed in SEEDS]

    return make


def alike(one: GeneratorTask, other: GeneratorTask) -> None:
    """Weights, averages of optimiser and weights, and losses agree but for rounding.

    Adam's steps have the size of the rate however small a gradient is, so that rounding can turn
    single weights; whole tensors stay near.
    """
    states = [load_checkpoint(task.folder / RESUME) for task in (one, other)]
    for found, expected in zip(*(_flat(state) for state in states), strict=True):
        error = (found.double() - expected.double()).norm() / expected.double().norm().clamp(1e-9)
        assert error < 0.01
    for found, expected in zip(*(_rows(task) for task in (one, other)), strict=True):
        assert found == pytest.approx(expected, rel=0.01)


def test_abreast_is_apart(tasks: Tasks, fabric: Fabric) -> None:
    apart, together = tasks("apart"), tasks("together")
    alone = [train_generator(task, fabric) for task in apart]
    trained = train_generators(together, fabric)
    for one, other in zip(together, apart, strict=True):
        alike(one, other)
        assert (one.folder / GENERATOR).exists()
    assert [each.images for each in trained] == [each.images for each in alone]
    assert len({each.digest for each in trained}) == len(SEEDS)


def test_interrupted_trainings_end_as_if_they_had_not_been(
    tasks: Tasks, fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tasks("whole"), tasks("cut")
    train_generators(whole, fabric)
    steps = iter(range(100))

    def stop_after_3(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        if next(steps) == 3:
            raise KeyboardInterrupt
        return discriminator_loss(real, fake)

    with monkeypatch.context() as patch:
        patch.setattr(dcgan, "discriminator_loss", stop_after_3)
        with pytest.raises(KeyboardInterrupt):
            train_generators(cut, fabric)
    # One of them gets further before all go on together.
    train_generator(cut[1], fabric)
    train_generators(cut, fabric)
    for one, other in zip(cut, whole, strict=True):
        alike(one, other)


def test_one_that_is_stopped_leaves_the_others_alone(
    tasks: Tasks, fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart, together = tasks("apart"), tasks("together")
    for task in (apart[0], apart[2]):
        train_generator(task, fabric)
    stopped = property(lambda each: each.task.seed == 1 and each.state.step >= 2)
    monkeypatch.setattr(loop._Trainee, "stopped", stopped)
    trained = train_generators(together, fabric)
    assert [each.images for each in trained] == [96, 32, 96]
    for place in (0, 2):
        alike(together[place], apart[place])


@pytest.mark.parametrize("name", [key for key, kind in FAMILIES.items() if kind.stackable])
def test_every_stackable_family(
    name: str, tmp_path: Path, generator_task: Make, fabric: Fabric
) -> None:
    def made(folder: str) -> list[GeneratorTask]:
        return [generator_task(tmp_path / folder / str(s), seed=s, family=name) for s in SEEDS]

    apart, together = made("apart"), made("together")
    for task in apart:
        train_generator(task, fabric)
    train_generators(together, fabric)
    for one, other in zip(together, apart, strict=True):
        alike(one, other)


def _rows(task: GeneratorTask) -> list[dict[str, float]]:
    rows = read_journal(task.folder / "journal.jsonl")
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def _flat(state: object) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state]
    if isinstance(state, dict):
        return [each for key, value in state.items() if key != "vitals" for each in _flat(value)]
    if isinstance(state, list | tuple):
        return [each for value in state for each in _flat(value)]
    return []
