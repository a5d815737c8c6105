"""Training of generators: it repeats, goes on after a kill, stops on NaN, and its images nest."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from stopped import stopping_after

from dermaug.console import overheard
from dermaug.errors import DermaugError, StoppedEarly
from dermaug.generators import dcgan
from dermaug.generators.generator_training import train_generator
from dermaug.generators.objectives import discriminator_loss
from dermaug.generators.saved_generator import load_family, load_generator
from dermaug.generators.state import GeneratorTask
from dermaug.synthesis.sampling import sample
from dermaug.training.checkpoint import load_checkpoint
from dermaug.training.file_names import GENERATOR
from dermaug.training.journal import read_journal
from dermaug.training.resume import LAST

Make = Callable[..., GeneratorTask]


def everything(folder: Path) -> tuple[bytes, list[dict[str, float]], list[bytes]]:
    rows = read_journal(folder / "journal.jsonl")
    journal = [{key: value for key, value in row.items() if key != "seconds"} for row in rows]
    grids = [path.read_bytes() for path in sorted((folder / "grids").glob("*.png"))]
    return (folder / GENERATOR).read_bytes(), journal, grids


def test_same_seed_same_bytes_and_another_seed_others(
    tmp_path: Path, fabric: Fabric, generator_task: Make
) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_generator(generator_task(tmp_path / name, seed=seed), fabric)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    assert everything(tmp_path / "a")[0] != everything(tmp_path / "c")[0]


def test_interrupted_training_ends_as_if_it_had_not_been(
    tmp_path: Path, fabric: Fabric, generator_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_generator(generator_task(tmp_path / "whole"), fabric)
    steps = iter(range(100))

    def stop_after_3(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        if next(steps) == 3:
            raise KeyboardInterrupt
        return discriminator_loss(real, fake)

    cut = generator_task(tmp_path / "cut")
    with monkeypatch.context() as patch:
        patch.setattr(dcgan, "discriminator_loss", stop_after_3)
        with pytest.raises(KeyboardInterrupt):
            train_generator(cut, fabric)
    assert (cut.folder / LAST).exists()
    train_generator(cut, fabric)
    assert everything(tmp_path / "cut") == everything(tmp_path / "whole")


def test_training_stopped_between_two_checkpoints_goes_on_from_its_step(
    tmp_path: Path, fabric: Fabric, generator_task: Make
) -> None:
    train_generator(generator_task(tmp_path / "whole"), fabric)
    cut = generator_task(tmp_path / "cut")
    with overheard(stopping_after(3 * cut.spec.config.batch)), pytest.raises(StoppedEarly):
        train_generator(cut, fabric)
    assert load_checkpoint(cut.folder / LAST)["step"] == 3
    train_generator(cut, fabric)
    assert everything(tmp_path / "cut") == everything(tmp_path / "whole")


def test_loss_that_is_no_number_stops_and_says_which(
    tmp_path: Path, fabric: Fabric, generator_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        dcgan, "discriminator_loss", lambda real, fake: (real.mean() + fake.mean()) * float("inf")
    )
    with pytest.raises(DermaugError, match="discriminator_loss is"):
        train_generator(generator_task(tmp_path), fabric)
    assert not (tmp_path / GENERATOR).exists()


def test_smaller_samples_are_the_start_of_larger_ones(
    tmp_path: Path, fabric: Fabric, generator_task: Make
) -> None:
    train_generator(generator_task(tmp_path), fabric)
    sampler, spec = load_generator(tmp_path / GENERATOR, fabric.device)
    assert (spec.classes, spec.fold_key, spec.training_images) == (
        ("discs",),
        "fold-key",
        ("a", "b"),
    )
    large = sample(sampler, 0, 300, seed=5)
    assert large.shape == (300, 32, 32, 3)
    np.testing.assert_array_equal(sample(sampler, 0, 70, seed=5), large[:70])
    assert not np.array_equal(sample(sampler, 0, 70, seed=6), large[:70])


def test_class_smaller_than_the_batch(tmp_path: Path, fabric: Fabric, generator_task: Make) -> None:
    train_generator(generator_task(tmp_path, batch=64, images=128), fabric)
    assert (tmp_path / GENERATOR).exists()


def test_checkpoint_keeps_the_discriminator_beside_the_sampler(
    tmp_path: Path, fabric: Fabric, generator_task: Make
) -> None:
    task = generator_task(tmp_path)
    train_generator(task, fabric)
    resumed = load_checkpoint(tmp_path / LAST)["family"]
    family, _ = load_family(tmp_path / GENERATOR, fabric.device)
    for key, value in family.discriminator.state_dict().items():
        torch.testing.assert_close(value, resumed[f"discriminator.{key}"], rtol=0.0, atol=0.0)
    logits = family.realness(torch.zeros(2, 3, 32, 32), torch.zeros(2, dtype=torch.long))
    assert logits is not None
    assert logits.shape == (2,)
