"""What holds for every family: a new one is tested by its line in `FAMILIES`."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from lightning_fabric import Fabric
from pydantic import JsonValue
from safetensors.torch import save_file
from torch import Generator

from dermaug.config import GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.reading import read_results
from dermaug.experiment_file import validate_experiment
from dermaug.generators import FAMILIES, build_family
from dermaug.generators.family import Progress, draw
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec, load_family, load_generator
from dermaug.generators.state import GeneratorTask, State
from dermaug.generators.steps import GeneratorSteps
from dermaug.synthesis.sampling import sample
from dermaug.training.checkpoint import load_checkpoint
from dermaug.training.file_names import GENERATOR
from dermaug.training.journal import read_journal
from dermaug.training.resume import LAST

SIDE = 32
CLASSES = ("bright", "dark")

BACKBONE = "test_resnet"


@pytest.fixture(autouse=True)
def _weights(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A weight file for the family that looks through a pretrained network, drawn at random."""
    path = tmp_path_factory.getbasetemp() / f"{BACKBONE}.safetensors"
    if not path.exists():
        torch.manual_seed(0)
        save_file(timm.create_model(BACKBONE).state_dict(), path)
    OPTIONS["projected"] = {"backbone": BACKBONE, "weights": str(path), "head_width": 8}


OPTIONS: dict[str, dict[str, JsonValue]] = {"flow": {"steps": 2}}
"""What a family cannot do without in a quick test without network."""

families = pytest.mark.parametrize("family", FAMILIES)


def asked(family: str, **settings: object) -> GeneratorConfig:
    tree = {"family": family, "width": 4, "options": OPTIONS.get(family, {})}
    return GeneratorConfig.model_validate(tree | settings)


def task(family: str, folder: Path, seed: int = 0, **settings: object) -> GeneratorTask:
    """Six steps on squares whose class is their brightness."""
    small: dict[str, object] = {"images": 48, "batch": 8, "latent": 8, "snapshots": 3}
    config = asked(family, **small | settings)
    classes = CLASSES if FAMILIES[family].conditional else CLASSES[:1]
    labels = np.arange(24) % len(classes)
    pixels = np.random.default_rng(0).integers(0, 100, (24, SIDE, SIDE, 3))
    bright = np.where(labels == 0, 150, 0)[:, None, None, None]
    bank = ImageBank.of((pixels + bright).astype(np.uint8), labels, torch.device("cpu"))
    spec = GeneratorSpec(config, SIDE, classes, "fold-key", ("a", "b"))
    return GeneratorTask(family, spec, bank, seed, folder)


def left(folder: Path) -> tuple[bytes, list[dict[str, float]], list[bytes]]:
    """Checkpoint, journal less its clock, and grids."""
    rows = read_journal(folder / "journal.jsonl")
    journal = [{key: value for key, value in row.items() if key != "seconds"} for row in rows]
    grids = [path.read_bytes() for path in sorted((folder / "grids").glob("*.png"))]
    return (folder / GENERATOR).read_bytes(), journal, grids


@families
def test_repeats_and_resumes_byte_for_byte(
    family: str, tmp_path: Path, fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_generator(task(family, tmp_path / "whole"), fabric)
    train_generator(task(family, tmp_path / "other", seed=1), fabric)
    assert left(tmp_path / "whole")[0] != left(tmp_path / "other")[0]

    step, done = FAMILIES[family].step, iter(range(100))

    def stop_at_4(*given: object) -> dict[str, torch.Tensor]:
        if next(done) == 4:  # after the second snapshot, and then some
            raise KeyboardInterrupt
        return step(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(FAMILIES[family], "step", stop_at_4)
        with pytest.raises(KeyboardInterrupt):
            train_generator(task(family, tmp_path / "cut"), fabric)
    last = tmp_path / "cut" / LAST
    last.write_bytes(last.read_bytes()[:-1])  # cut short: the checkpoint before is resumed from
    train_generator(task(family, tmp_path / "cut"), fabric)
    assert left(tmp_path / "cut") == left(tmp_path / "whole")


@families
def test_what_is_kept_of_losses_does_not_grow(family: str, tmp_path: Path, fabric: Fabric) -> None:
    """A loss may be one number on the storage of a batch of images: a sum is kept instead."""
    given = task(family, tmp_path)
    steps = GeneratorSteps(given, State(given, fabric), fabric)
    kept = []
    for _ in range(3):
        steps.take()
        held = steps.state.losses.state_dict()
        kept.append(sum(each.untyped_storage().nbytes() for each in held.values()))
    assert kept == [16 * len(held)] * 3  # a sum and a number of terms, in float64


@families
def test_checkpoint_round_trip_and_nested_samples(
    family: str, tmp_path: Path, fabric: Fabric
) -> None:
    given = task(family, tmp_path)
    train_generator(given, fabric)
    sampler, spec = load_generator(tmp_path / GENERATOR, fabric.device)
    assert spec == given.spec
    label = len(spec.classes) - 1
    large = sample(sampler, label, 20, seed=5)
    assert large.shape == (20, SIDE, SIDE, 3)
    assert large.dtype == np.uint8
    np.testing.assert_array_equal(sample(sampler, label, 6, seed=5), large[:6])
    assert not np.array_equal(sample(sampler, label, 6, seed=6), large[:6])

    trained = load_checkpoint(tmp_path / LAST)["family"]
    loaded, _ = load_family(tmp_path / GENERATOR, fabric.device)
    for key, value in loaded.state_dict().items():
        if not key.startswith("sampler."):
            torch.testing.assert_close(value, trained[key], rtol=0.0, atol=0.0)


@families
def test_journal_says_what_went_on_in_finite_numbers(
    family: str, tmp_path: Path, fabric: Fabric
) -> None:
    train_generator(task(family, tmp_path), fabric)
    rows = read_journal(tmp_path / "journal.jsonl")
    assert [row["images"] for row in rows] == [16, 32, 48]
    assert any("loss" in name for name in rows[0])
    assert all(np.isfinite(value) for row in rows for value in row.values())


@families
@pytest.mark.parametrize("size", [32, 64])
def test_sampler_draws_squares_of_its_size(family: str, size: int) -> None:
    built = build_family(asked(family), size, 2).eval()
    random = Generator().manual_seed(0)
    with torch.inference_mode():
        latents = built.sampler.draw_latents(3, random)
        images = built.sampler(latents, torch.tensor([0, 1, 1]))
    assert latents.shape == (3, built.sampler.latent)
    assert images.shape == (3, 3, size, size)
    assert images.abs().max() <= 1.0


@families
def test_discriminator_says_what_the_family_promises(family: str) -> None:
    built = build_family(asked(family), SIDE, 2).eval()
    images, labels = torch.rand(4, 3, SIDE, SIDE) * 2.0 - 1.0, torch.tensor([0, 1, 0, 1])
    with torch.inference_mode():
        realness, named = built.realness(images, labels), built.class_logits(images)
    assert realness is None or realness.shape == (4,)
    assert (named is not None) == built.tells_classes()
    assert named is None or named.shape == (4, 2)


@families
def test_option_that_the_family_does_not_have(family: str) -> None:
    config = GeneratorConfig(family=family, options={"no_such_option": 1})
    with pytest.raises(DermaugError, match=f"generators.options of {family}"):
        build_family(config, SIDE, 2)


@families
def test_loss_that_is_no_number_stops(
    family: str, tmp_path: Path, fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = FAMILIES[family].step

    def spoilt(*given: object) -> dict[str, torch.Tensor]:
        return {name: value / 0.0 for name, value in step(*given).items()}  # type: ignore[arg-type]

    monkeypatch.setattr(FAMILIES[family], "step", spoilt)
    with pytest.raises(DermaugError, match="the last good checkpoint is kept"):
        train_generator(task(family, tmp_path), fabric)
    assert not (tmp_path / GENERATOR).exists()


@families
def test_family_in_a_study(family: str, tmp_path: Path) -> None:
    """From an experiment file to predictions, on a few phantoms."""
    generator = asked(family, images=32, batch=8, snapshots=1, examined=16).model_dump()
    tree = {
        "name": "small",
        "data": {
            "size": SIDE,
            "classes": ["mel", "nv"],
            "phantom": {"number": 80, "balanced": True},
        },
        "splits": {"folds": 3, "run": [0]},
        "classifiers": [{"images": 32, "batch": 8, "validations": 1}],
        "generators": [generator],
        "arms": [
            {
                "name": "dose",
                "replay": False,
                "synthetic": {"family": family, "dose": {"mel": 70}, "max_per_real": 0.0},
            }
        ],
    }
    found = read_results(
        run_experiment(
            tmp_path / "run",
            validate_experiment(tree, "test"),
            Launch("cpu"),
        )
    )
    (trial,) = found.trials
    assert trial.record.train_counts["mel"].synthetic == 70
    assert {result.label for result in found.generators} == {"mel", "nv"}
    assert all(len(result.samples) == 64 for result in found.generators)


@families
@pytest.mark.parametrize("size", [64, 128, 256])
def test_larger_images_are_learnt_and_drawn(family: str, size: int) -> None:
    built = build_family(asked(family, latent=8), size, 2)
    built.prepare()
    random, labels = Generator().manual_seed(0), torch.tensor([0, 1])
    losses = built.step(torch.zeros(2, 3, size, size), labels, random, Progress(0, 4))
    drawn = draw(built.sampler.eval(), built.sampler.draw_latents(2, random), labels)
    assert drawn.shape == (2, size, size, 3)
    assert all(loss.isfinite().all() for loss in losses.values())
