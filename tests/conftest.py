"""What the tests of several rooms share: small trainings that end in seconds."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from drawn import drawn_page as drawn_page
from drawn import drawn_study as drawn_study
from lightning_fabric import Fabric

from dermaug.classifiers.trial_steps import ClassifierTask
from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask
from dermaug.training.fabric import start_fabric

SIDE = 32


def pytest_configure() -> None:
    """One thread for each worker and for the programs that tests start."""
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many workers as cores for the whole suite, none for a chosen file, which they delay."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return joblib.cpu_count() if whole else 0


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Sums in one order: a training is the same to the bit here and in a subprocess."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Phantoms and squares are made once and never in the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DERMAUG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def fabric() -> Fabric:
    """One CPU process."""
    return start_fabric("cpu")


def discs(number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Dark discs on skin whose class is their radius: learnt in seconds."""
    random = np.random.default_rng(seed)
    labels = np.arange(number) % 3
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    centres = random.uniform(12, 20, (number, 2, 1, 1))
    distance = np.hypot(x - centres[:, 0], y - centres[:, 1])
    inside = distance < np.array([3, 6, 10])[labels][:, None, None]
    images = np.where(inside[..., None], [90, 50, 40], [220, 170, 150])
    return (images + random.integers(-15, 16, images.shape)).astype(np.uint8), labels


def bank(number: int, seed: int = 0) -> ImageBank:
    """`discs` on the CPU."""
    return ImageBank.of(*discs(number, seed), torch.device("cpu"))


@pytest.fixture
def classifier_task() -> Callable[..., ClassifierTask]:
    """Build a small task in a folder; keywords change the configuration."""

    def make(
        folder: Path,
        *,
        seed: int = 0,
        policy: str = "standard",
        loss: str = "plain",
        sampling: str = "natural",
        **settings: object,
    ) -> ClassifierTask:
        defaults: dict[str, object] = {"images": 480, "batch": 16, "validations": 3}
        return ClassifierTask(
            title="discs",
            config=ClassifierConfig.model_validate(defaults | settings),
            policy=policy,
            sampling=sampling,
            loss=loss,
            classes=("large", "medium", "small"),
            training=bank(60),
            validation=bank(30, seed=1),
            mean=(0.7, 0.5, 0.5),
            std=(0.2, 0.2, 0.2),
            seed=seed,
            folder=folder,
        )

    return make


@pytest.fixture
def generator_task() -> Callable[..., GeneratorTask]:
    """Build a small task in a folder; keywords change the configuration."""

    def make(folder: Path, *, seed: int = 0, **settings: object) -> GeneratorTask:
        defaults: dict[str, object] = {"images": 96, "batch": 16, "width": 4, "snapshots": 3}
        config = GeneratorConfig.model_validate(defaults | settings)
        spec = GeneratorSpec(config, SIDE, ("discs",), "fold-key", ("a", "b"))
        return GeneratorTask("discs", spec, bank(40), seed, folder)

    return make
