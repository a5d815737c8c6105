"""Trainings on a GPU: steps are recorded, wait for nothing, and agree with eager ones and the CPU.

Tolerances: weights after 20 steps of a training, in float32 without TF32, agree to a share of the
distance that they moved. Sums are in another order on each device, and Adam divides by small
numbers, so that this share is not zero.
"""

from collections.abc import Callable, Hashable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from lightning_fabric import Fabric
from pydantic import JsonValue
from safetensors.torch import save_file

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import load_classifier
from dermaug.classifiers.trial_steps import ClassifierSteps, ClassifierTask
from dermaug.config import GeneratorConfig
from dermaug.data.augmentation import POLICIES
from dermaug.data.image_bank import ImageBank
from dermaug.generators import FAMILIES
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask, State
from dermaug.generators.steps import GeneratorSteps
from dermaug.training.checkpoint import load_checkpoint
from dermaug.training.fabric import start_fabric
from dermaug.training.file_names import CLASSIFIER, GENERATOR
from dermaug.training.graphs import Replayed

pytestmark = [
    pytest.mark.gpu,
    # Libraries warn of other things on each GPU; what they say is printed, and no error.
    pytest.mark.filterwarnings("default"),
]
SIDE, STEPS, BATCH = 32, 20, 16
BACKBONE = "test_resnet"
KINDS = {"cgan": {"plain", "penalised"}}
"""Kinds of step of a family, where there is more than one."""
Weights = dict[str, torch.Tensor]
Make = Callable[..., ClassifierTask]


def on(bank: ImageBank, device: torch.device) -> ImageBank:
    return ImageBank.of(np.asarray(bank.images), bank.labels.numpy(), device)


def moved(task: ClassifierTask, fabric: Fabric) -> ClassifierTask:
    device = fabric.device
    return replace(task, training=on(task.training, device), validation=on(task.validation, device))


def family_task(family: str, folder: Path, fabric: Fabric, **settings: object) -> GeneratorTask:
    options: dict[str, JsonValue] = {"steps": 2} if family == "flow" else {}
    if family == "cgan":
        options = {"penalty_interval": 2}
    if family == "projected":
        path = folder.parent / f"{BACKBONE}.safetensors"
        torch.manual_seed(0)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(timm.create_model(BACKBONE).state_dict(), path)
        options = {"backbone": BACKBONE, "weights": str(path), "head_width": 8}
    tree: dict[str, object] = {"family": family, "width": 8, "latent": 8, "options": options}
    shown = {"images": STEPS * BATCH, "batch": BATCH, "snapshots": 2}
    config = GeneratorConfig.model_validate(tree | shown | settings)
    classes = ("bright", "dark") if FAMILIES[family].conditional else ("any",)
    labels = np.arange(48) % len(classes)
    pixels = np.random.default_rng(0).integers(0, 100, (48, SIDE, SIDE, 3))
    bright = np.where(labels == 0, 150, 0)[:, None, None, None]
    bank = ImageBank.of((pixels + bright).astype(np.uint8), labels, fabric.device)
    return GeneratorTask(family, GeneratorSpec(config, SIDE, classes, "key", ()), bank, 0, folder)


def trained(task: GeneratorTask, fabric: Fabric) -> tuple[Weights, Weights, set[Hashable]]:
    """The sampler's weights before and after all steps, and what was recorded."""
    state = State(task, fabric)
    start = {name: value.clone() for name, value in state.family.sampler.state_dict().items()}
    steps = GeneratorSteps(task, state, fabric)
    for _ in range(STEPS):
        steps.take()
    assert all(np.isfinite(list(steps.state.losses.take().values())))
    return start, dict(state.family.sampler.state_dict()), steps._run.recorded


def fitted(task: ClassifierTask, fabric: Fabric) -> tuple[Weights, Weights, set[Hashable]]:
    """The same of a classifier."""
    steps = ClassifierSteps(task, fabric)
    start = {name: value.clone() for name, value in steps.classifier.state_dict().items()}
    for _ in range(STEPS):
        steps.take()
    assert np.isfinite(steps.losses.take()["loss"])
    return start, dict(steps.kept.state_dict()), steps._run.recorded


def difference(start: Weights, one: Weights, other: Weights) -> float:
    """Distance of two results, as a share of the distance from the start."""
    names = [name for name, value in start.items() if value.is_floating_point()]
    flat = [
        torch.cat([each[name].cpu().double().flatten() for name in names])
        for each in (start, one, other)
    ]
    return float((flat[1] - flat[2]).norm() / (flat[1] - flat[0]).norm())


@contextmanager
def waiting_is_an_error(patch: pytest.MonkeyPatch):  # noqa: ANN201
    """Any operation of a step that waits for the device raises."""
    run = Replayed.__call__

    def guarded(self: Replayed, kind: Hashable, step: Callable[[], None]) -> None:
        def watched() -> None:
            torch.cuda.set_sync_debug_mode("error")
            try:
                step()
            finally:
                torch.cuda.set_sync_debug_mode("default")

        run(self, kind, watched)

    with patch.context() as inner:
        inner.setattr(Replayed, "__call__", guarded)
        yield


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_recorded_waits_for_nothing_and_agrees_with_eager_steps(
    family: str,
    tmp_path: Path,
    gpu: Fabric,
    without_graphs: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = family_task(family, tmp_path / "task", gpu)
    start, eager, recorded = trained(task, gpu)
    assert recorded == set()
    without_graphs.undo()
    with waiting_is_an_error(monkeypatch):
        _, replayed, recorded = trained(task, gpu)
    share = difference(start, eager, replayed)
    print(f"\n{family}: recorded {sorted(map(str, recorded))}, {share:.1e} of the way from eager")
    assert recorded == KINDS.get(family, {"step"})
    assert share < 0.05


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_trains_snapshots_and_resumes(family: str, tmp_path: Path, gpu: Fabric) -> None:
    fabric = start_fabric("cuda")  # bfloat16, as in a study
    task = family_task(family, tmp_path / "task", fabric)
    bank = replace(task, validation=task.training)
    whole = train_generator(bank, fabric)
    assert whole.images == STEPS * BATCH
    assert train_generator(bank, fabric).digest == whole.digest  # resumes after the last step
    weights = load_checkpoint(bank.folder / GENERATOR)["weights"]
    assert all(value.isfinite().all() for value in weights.values())


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_is_recorded_and_waits_for_nothing(
    policy: str,
    tmp_path: Path,
    gpu: Fabric,
    classifier_task: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = moved(classifier_task(tmp_path, policy=policy, images=STEPS * BATCH), gpu)
    with waiting_is_an_error(monkeypatch):
        _, _, recorded = fitted(task, gpu)
    print(f"\n{policy}: recorded {sorted(map(str, recorded))}")
    assert recorded == {"network"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "sgd", "ema": 0.9},
        {"model": "resnet10t", "frozen_fraction": 0.5, "ema": 0.9, "optimizer": "sgd"},
        {"model": "mobilenetv3_small_050", "optimizer": "sgd"},
    ],
    ids=["fridadar", "sgd", "resnet10t", "mobilenet"],
)
def test_a_classifier_agrees_with_eager_steps_and_the_cpu(
    settings: dict[str, object],
    tmp_path: Path,
    gpu: Fabric,
    classifier_task: Make,
    without_graphs: pytest.MonkeyPatch,
) -> None:
    shown = {"images": STEPS * BATCH, "policy": "none", "dropout": 0.0}
    task = classifier_task(tmp_path, **(shown | settings))
    cpu = start_fabric("cpu", "32-true")
    start, of_cpu, _ = fitted(task, cpu)
    _, eager, _ = fitted(moved(task, gpu), gpu)
    _, again, _ = fitted(moved(task, gpu), gpu)  # some kernels add up in any order
    without_graphs.undo()
    _, replayed, recorded = fitted(moved(task, gpu), gpu)
    noise, graph, other = (difference(start, eager, each) for each in (again, replayed, of_cpu))
    print(f"\n{settings}: recorded {sorted(map(str, recorded))}, graph {graph:.1e}, ")
    print(f"CPU {other:.1e}, and a repetition {noise:.1e} of the way from eager")
    assert recorded == ({"head", "network"} if "frozen_fraction" in settings else {"network"})
    assert graph < max(0.02, 3.0 * noise)
    assert other < max(0.2, 3.0 * noise)


def test_probabilities_are_those_of_the_cpu(
    tmp_path: Path, gpu: Fabric, classifier_task: Make
) -> None:
    task = moved(classifier_task(tmp_path, images=160), gpu)
    train_classifier(task, gpu)
    classifier, _ = load_classifier(tmp_path / CLASSIFIER)
    of_cpu = predict(classifier, on(task.validation, torch.device("cpu")), views=8)
    of_gpu = predict(classifier.to(gpu.device), task.validation, views=8)
    np.testing.assert_allclose(of_gpu, of_cpu, atol=1e-4)


def test_a_training_resumes_where_it_stopped(
    tmp_path: Path, gpu: Fabric, classifier_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_classifier(moved(classifier_task(tmp_path / "whole"), gpu), gpu)
    take, taken = ClassifierSteps.take, iter(range(100))

    def stop_after_17(self: ClassifierSteps) -> None:
        if next(taken) == 17:
            raise KeyboardInterrupt
        take(self)

    cut = moved(classifier_task(tmp_path / "cut"), gpu)
    with monkeypatch.context() as patch:
        patch.setattr(ClassifierSteps, "take", stop_after_17)
        with pytest.raises(KeyboardInterrupt):
            train_classifier(cut, gpu)
    train_classifier(cut, gpu)
    whole, resumed = (
        load_checkpoint(tmp_path / name / CLASSIFIER)["weights"] for name in ("whole", "cut")
    )
    zero = {name: torch.zeros_like(value) for name, value in whole.items()}
    assert difference(zero, whole, resumed) < 0.01


def test_images_that_do_not_fit_are_sent_from_memory(
    tmp_path: Path, gpu: Fabric, classifier_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = classifier_task(tmp_path, images=STEPS * BATCH)
    _, resident, _ = fitted(moved(task, gpu), gpu)
    away = ImageBank(task.training.images, task.training.labels, gpu.device)
    with waiting_is_an_error(monkeypatch):
        start, sent, recorded = fitted(replace(task, training=away), gpu)
    assert recorded == {"network"}
    assert difference(start, resident, sent) < 0.02


def test_a_step_that_cannot_be_recorded_runs_on_and_says_so(
    tmp_path: Path,
    gpu: Fabric,
    classifier_task: Make,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task = moved(classifier_task(tmp_path, images=STEPS * BATCH), gpu)
    start, expected, _ = fitted(task, gpu)

    def waits(images, targets, random):  # noqa: ANN001, ANN202
        images, targets = POLICIES["standard"](images, targets, random)
        float(images.sum())  # waits for the device, which a recording cannot
        return images, targets

    monkeypatch.setitem(POLICIES, "waits", waits)
    _, eager, recorded = fitted(replace(task, policy="waits"), gpu)
    assert recorded == set()
    assert "could not be recorded as a CUDA graph" in capsys.readouterr().err
    assert difference(start, expected, eager) < 0.02
