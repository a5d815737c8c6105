"""Trainings and runs that are killed at random moments, again and again, until they end."""

import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.model import load_classifier
from dermaug.classifiers.trial_steps import ClassifierTask
from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.data.sources.phantom import draw_phantoms
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment_file import validate_experiment
from dermaug.files import sha256
from dermaug.generators import FAMILIES
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec, load_family
from dermaug.generators.state import GeneratorTask
from dermaug.training.checkpoint import load_checkpoint
from dermaug.training.fabric import start_fabric
from dermaug.training.file_names import CLASSIFIER, GENERATOR, JOURNAL
from dermaug.training.journal import read_journal
from dermaug.training.resume import BEFORE, LAST
from reliability.processes import begun, ended, killed_after

SIDE = 32
Work = Callable[[Path], object]
Results = Callable[[Path], Mapping[str, object]]


@dataclass
class Count:
    """What was tried and what came of it."""

    kills: int = 0
    ends: int = 0
    """Works that came to their end after kills."""
    faults: list[str] = field(default_factory=list)
    """Checkpoints that did not load, other results than those of an undisturbed work, tracebacks,
    files left over."""

    def __str__(self) -> str:
        return f"{self.kills} kills, {self.ends} works ended, {len(self.faults)} faults"


def subjects(place: Path) -> dict[str, tuple[Work, Results]]:
    """Name -> what is killed and what it leaves: each kind of training, and a whole run."""
    weights = place / "test_resnet.safetensors"
    torch.manual_seed(0)
    save_file(timm.create_model("test_resnet").state_dict(), weights)
    found: dict[str, tuple[Work, Results]] = {"run": (small_run, _results_of_run)}
    for keep in ("last", "best"):
        found[f"classifier ({keep})"] = (_classifier(keep), _results_of_training)
    for family in FAMILIES:
        found[family] = (_generator(family, weights), _results_of_training)
    return found


def kill_all(number: int, seed: int, place: Path, minutes: float) -> Count:
    """`kill_again_and_again` of all subjects."""
    return kill_again_and_again(subjects(place), number, seed, place, minutes)


def kill_again_and_again(
    there: Mapping[str, tuple[Work, Results]], number: int, seed: int, place: Path, minutes: float
) -> Count:
    """Kill each subject at random moments until it ends, and go on until enough kills are made.

    Args:
        there: The subjects.
        number: Kills.
        seed: Of the moments.
        place: An empty folder.
        minutes: Time after which no further kill is made.
    """
    draw, count, end = random.Random(seed), Count(), time.monotonic() + 60 * minutes
    for part in (0, 1):
        _bank(part)  # once, before any process is forked
    whole: dict[str, tuple[Mapping[str, object], float]] = {}
    for name, (work, results) in there.items():
        start = time.monotonic()
        folder = place / f"whole {name}"
        if ended(begun(lambda work=work, folder=folder: work(folder), place / "told")):
            raise AssertionError(f"{name}: {(place / 'told').read_text()}")
        whole[name] = results(folder), time.monotonic() - start
    while count.kills < number and time.monotonic() < end:
        for name, (work, results) in there.items():
            folder = place / f"killed {name}"
            _until_it_ends(work, folder, whole[name][1], draw, count, number)
            if results(folder) != whole[name][0]:
                count.faults.append(f"{name}: other results than an undisturbed one")
            if name == "run":
                left = [*folder.rglob("resume*"), *folder.rglob("claim.json")]
                count.faults += [f"{name}: left over: {path}" for path in left]
            count.ends += 1
            shutil.rmtree(folder)
            print(f"{name}: {count}", flush=True)
    return count


def _until_it_ends(
    work: Work, folder: Path, seconds: float, draw: random.Random, count: Count, number: int
) -> None:
    """Kill a work at random moments, about five times, until it ends."""
    told = folder.with_suffix(".told")
    for attempt in range(1_000):
        moment = seconds * draw.uniform(0.0, 0.4 + attempt / 20) if count.kills < number else 1e9
        code = killed_after(moment, lambda: work(folder), told)
        if code is not None:
            if code or "Traceback" in told.read_text():
                count.faults.append(f"{folder.name}: ended with {code}: {told.read_text()}")
            return
        count.kills += 1
        count.faults += [f"{folder.name}: {fault}" for fault in _damaged(folder)]
    raise AssertionError(f"{folder} does not end")


def _damaged(folder: Path) -> Iterator[str]:
    """Trainings below a folder whose newest checkpoint does not load."""
    for training in {path.parent for path in folder.rglob("resume*.safetensors")}:
        newest = training / LAST if (training / LAST).exists() else training / BEFORE
        try:
            load_checkpoint(newest)
        except Exception as error:
            yield str(error)


@cache
def _bank(seed: int) -> ImageBank:
    drawn = draw_phantoms(42, seed, size=SIDE, balanced=True)
    labels = drawn.table["dx"].astype("category").cat.codes.to_numpy(dtype="int64")
    return ImageBank.of(drawn.images, labels, torch.device("cpu"))


def _classifier(keep: str) -> Work:
    """A training with a checkpoint at every step."""

    def work(folder: Path) -> None:
        config = ClassifierConfig.model_validate(
            {"images": 480, "batch": 16, "validations": 30, "ema": 0.9, "keep": keep}
        )
        task = ClassifierTask(
            title="killed",
            config=config,
            policy="standard",
            sampling="sqrt",
            loss="plain",
            classes=tuple("abcdefg"),
            training=_bank(0),
            validation=_bank(1),
            mean=(0.7, 0.5, 0.5),
            std=(0.2, 0.2, 0.2),
            seed=0,
            folder=folder,
        )
        train_classifier(task, start_fabric("cpu", "32-true"))

    return work


def _generator(family: str, weights: Path) -> Work:
    """A training with a checkpoint at every step."""

    def work(folder: Path) -> None:
        options = {
            "flow": {"steps": 2},
            "projected": {"backbone": "test_resnet", "weights": str(weights), "head_width": 8},
        }
        tree = {"family": family, "options": options.get(family, {}), "latent": 8, "width": 4}
        config = GeneratorConfig.model_validate(
            tree | {"images": 96, "batch": 8, "snapshots": 12, "examined": 16}
        )
        classes = tuple("abcdefg") if FAMILIES[family].conditional else ("a",)
        training, validation = _bank(0), _bank(1)
        if len(classes) == 1:
            training.labels.zero_()
            validation.labels.zero_()
        spec = GeneratorSpec(config, SIDE, classes, "key", ("one",))
        task = GeneratorTask("killed", spec, training, 0, folder, validation)
        train_generator(task, start_fabric("cpu", "32-true"))

    return work


def _results_of_training(folder: Path) -> Mapping[str, object]:
    """Digest of the network, which loads, and the journal without its clock."""
    rows = read_journal(folder / JOURNAL)
    for row in rows:
        del row["seconds"]
    if (folder / CLASSIFIER).exists():
        load_classifier(folder / CLASSIFIER)
        return {"network": sha256(folder / CLASSIFIER), "journal": rows}
    load_family(folder / GENERATOR, torch.device("cpu"))
    return {"network": sha256(folder / GENERATOR), "journal": rows}


def small_run(folder: Path) -> None:
    """A run of six jobs: generators, their images, arms, a curation and a dose."""
    tree = {
        "name": "killed",
        "seeds": [0, 1],
        "data": {
            "size": SIDE,
            "classes": ["mel", "nv"],
            "phantom": {"number": 140, "balanced": True},
        },
        "splits": {"folds": 3, "run": [0]},
        "classifiers": [{"images": 160, "batch": 16, "validations": 5}],
        "generators": [{"classes": ["mel"], "images": 64, "batch": 8, "width": 4, "snapshots": 4}],
        "arms": [
            {"name": "real"},
            {"name": "dose", "replay": False, "synthetic": {"dose": 8, "max_per_real": 0.0}},
        ],
    }
    run_experiment(folder, validate_experiment(tree, "killed"), Launch("cpu", "32-true"))


def _results_of_run(folder: Path) -> Mapping[str, object]:
    """Content of everything that does not hold a date or a time."""
    found = [*folder.rglob("*.parquet"), *folder.rglob("*.safetensors")]
    found += [*folder.rglob("synthetic/*"), *folder.rglob("folds.json")]
    return {str(path.relative_to(folder)): sha256(path) for path in found if path.is_file()}
