"""A small study as a run would leave it: drawn images and predictions with known skill."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest

from dermaug.classifiers.trained import TrainingEntry
from dermaug.config import Arm, ClassifierConfig, DataConfig, Experiment, GeneratorConfig
from dermaug.data.catalog import Catalog
from dermaug.data.splits import Fold
from dermaug.evaluation.predictions import build_predictions
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import (
    DataEntry,
    GeneratorRecord,
    ImageCounts,
    Machine,
    RunRecord,
    Ties,
    TrialRecord,
)
from dermaug.experiment.run.results import GeneratorResult, RunResults, TrialResult
from dermaug.experiment_file import validate_experiment
from dermaug.report.page import render_report
from dermaug.scoring.points import point_of
from dermaug.scoring.scores import on_test
from dermaug.scoring.scoring import Scoring, score
from dermaug.scoring.verdicts import verdict_table
from dermaug.seeding import derive_seed

SKILL = {"real": 1.2, "classic": 1.6, "classic+synthetic": 1.8}
SIDE = 16
Result = TypeVar("Result", TrialResult, GeneratorResult, RunResults)


def drawn_catalog(folder: Path, classes: Sequence[str], lesions: int) -> Catalog:
    """`lesions` of each class with one or two images each, and all metadata."""
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for label in classes:
        for number in range(lesions):
            lesion = f"L{classes.index(label)}-{number:03d}"
            rows += [
                {
                    "image_id": f"{lesion}-{view}",
                    "lesion_id": lesion,
                    "label": label,
                    "patient_id": "",
                    "path": "",
                    "mask_path": "",
                    "age": float(random.choice([35, 50, 65, np.nan])),
                    "sex": str(random.choice(["female", "male", "unknown"])),
                    "localization": str(random.choice(["back", "face", "unknown"])),
                    "skin_tone": "unknown",
                    "dx_type": "histo",
                }
                for view in range(1 + number % 2)
            ]
    table = pd.DataFrame(rows)
    pixels = drawn_images(len(table), 1)
    return Catalog("Drawn", folder / "data", table, tuple(classes), embedded=pixels)


def drawn_images(number: int, seed: int) -> np.ndarray:
    """Dark discs on skin, uint8 (number, SIDE, SIDE, 3)."""
    random = np.random.default_rng(seed)
    radius = random.uniform(0.3, 0.8, (number, 1, 1))
    axis = np.linspace(-1, 1, SIDE)
    disc = (np.hypot(axis[:, None], axis[None, :]) < radius)[..., None]
    shade = random.uniform(60, 140, (number, 1, 1, 1))
    return np.where(disc, shade * [0.9, 0.6, 0.5], [224, 180, 160]).astype(np.uint8)


def drawn_folds(catalog: Catalog, number: int) -> tuple[Fold, ...]:
    """Lesions dealt out in turn: one part tests, the next validates, the others train."""
    lesions = sorted(set(catalog.table["lesion_id"]))
    deal = {lesion: index % (number + 2) for index, lesion in enumerate(lesions)}
    part = catalog.table["lesion_id"].map(deal).to_numpy()
    ids = catalog.image_ids
    return tuple(
        Fold(
            index=fold,
            train=tuple(ids[(part != fold) & (part != fold + 1)]),
            validation=tuple(ids[part == fold + 1]),
            test=tuple(ids[part == fold]),
        )
        for fold in range(number)
    )


def drawn_experiment(
    classes: Sequence[str], skill: Mapping[str, float], models: Sequence[str], seeds: Sequence[int]
) -> Experiment:
    """The experiment of the study."""
    arms: list[dict[str, Any]] = []
    for name in skill:
        if name.endswith(("-replay", "-half-length")):
            continue  # dermaug adds them
        arm: dict[str, Any] = {"name": name, "policy": "none" if name == "real" else "standard"}
        if "synthetic" in name:
            arm["synthetic"] = {"family": "dcgan", "dose": {classes[-1]: 100}}
        arms.append(arm)
    tree = {
        "name": "drawn",
        "data": {"size": SIDE},
        "splits": {"folds": 2},
        "seeds": list(seeds),
        "classifiers": [{"model": model, "images": 1_000} for model in models],
        "generators": [{"family": "dcgan", "images": 2_000}],
        "arms": arms,
        "check_convergence": any(name.endswith("-half-length") for name in skill),
    }
    return validate_experiment(tree, "drawn")


def trial_record(arm: Arm, config: ClassifierConfig, fold: Fold, **entries: Any) -> TrialRecord:
    """What a trial of an arm notes; keywords change entries."""
    defaults: dict[str, Any] = {
        "arm": arm,
        "model": config.key,
        "config": config,
        "fold": fold.index,
        "seed": 0,
        "generator_seed": 0 if arm.is_synthetic else None,
        "lesions": 0,
        "fold_key": fold.key,
        "data": DataConfig(),
        "fingerprint": "0123456789abcdef",
        "classes": ("mel", "nv"),
        "train_counts": {},
        "provenance": "fold",
        "curation": {},
        "capped": {},
        "training_images": fold.train,
        "shown": {"mel": 0.5, "nv": 0.5},
        "prior": {"mel": 0.5, "nv": 0.5},
        "ties": Ties(run="drawn", needs={}, journal=""),
        "digest": "0" * 64,
        "predictions": {},
        "training": TrainingEntry(
            images=round(1_000 * arm.length),
            kept_images=800,
            kept_score=0.5,
            seconds=20.0,
            parameters=100,
        ),
    }
    return TrialRecord(**(defaults | entries))


def recorded(result: Result, **entries: object) -> Result:
    """A result whose record has other entries."""
    return replace(result, record=result.record.model_copy(update=entries))


def drawn_trial(
    folder: Path,
    catalog: Catalog,
    fold: Fold,
    arm: Arm,
    config: ClassifierConfig,
    seed: int,
    skill: float,
) -> TrialResult:
    """Predictions whose logits favour the truth by `skill`; arms of a pair share their noise."""
    tables = []
    for part, ids in (("validation", fold.validation), ("test", fold.test)):
        rows = catalog.rows(ids)
        random = np.random.default_rng(derive_seed(config.key, fold.index, seed, part))
        logits = random.normal(size=(len(rows), catalog.num_classes))
        logits[np.arange(len(rows)), catalog.labels[rows]] += skill
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        tables.append(build_predictions(catalog, rows, part, probabilities))
    images = np.arange(100, 1_001, 100)
    rise = 1 - np.exp(-images / 300)
    journal = pd.DataFrame(
        {
            "images": images,
            "seconds": images / 50,
            "train_loss": 2 - rise,
            "rate": 1e-3,
            "validation_balanced_accuracy": 0.2 + 0.3 * skill * rise / 2,
            "validation_loss": 2.1 - rise,
        }
    )
    labels = catalog.table["label"].iloc[catalog.rows(fold.train)].value_counts()
    synthetic = "synthetic" in arm.name
    counts = {
        label: ImageCounts(
            real=int(labels[label]), synthetic=100 * (synthetic and label == catalog.classes[-1])
        )
        for label in catalog.classes
    }
    shown = {label: 1.0 + (label == catalog.classes[-1]) * synthetic for label in counts}
    record = trial_record(
        arm,
        config,
        fold,
        seed=seed,
        generator_seed=0 if synthetic else None,
        classes=catalog.classes,
        train_counts=counts,
        shown={label: share / sum(shown.values()) for label, share in shown.items()},
        prior=dict.fromkeys(counts, 1 / len(counts)),
    )
    return TrialResult(record, folder, journal, pd.concat(tables, ignore_index=True))


def drawn_generator(folder: Path, label: str, fold: Fold) -> GeneratorResult:
    """A generator's journal and samples."""
    images = np.arange(200, 2_001, 200)
    journal = pd.DataFrame(
        {
            "images": images,
            "seconds": images / 100,
            "generator_loss": 1 + np.sin(images / 400) / 4,
            "discriminator_loss": 0.7 + 100 / images,
            "real_score": 0.6,
        }
    )
    record = GeneratorRecord(
        family="dcgan",
        label=label,
        fold=fold.index,
        seed=0,
        lesions=0,
        fold_key=fold.key,
        config=GeneratorConfig(images=2_000),
        training_images=len(fold.train),
        images=2_000,
        kept_images=2_000,
        vitals=None,
        diagnosis="",
        seconds=40.0,
        parameters=100,
        ties=Ties(run="drawn", needs={}, journal=""),
        digest="0" * 64,
    )
    samples = drawn_images(30, derive_seed(label, fold.index))
    place = folder / f"{label}-fold{fold.index}"
    return GeneratorResult(record, label, place, journal, samples)


def drawn_run_record(catalog: Catalog) -> RunRecord:
    """What the study's run notes."""
    return RunRecord(
        id="drawn",
        experiment="",
        jobs=(),
        command="dermaug run drawn.toml",
        version="0.1.0",
        started="2026-01-01T00:00:00+00:00",
        device="cpu",
        data=DataEntry(
            name=catalog.name,
            fingerprint="0123456789abcdef",
            images=len(catalog),
            lesions=int(catalog.table["lesion_id"].nunique()),
            grouping=catalog.unit,
            groups=len(set(catalog.groups)),
            notes=(),
            skipped={},
            external=(),
            folders={},
        ),
        machine=Machine(cpu="Example", cores=2, memory_gib=4.0, gpu=None, platform="Linux"),
        versions={"torch": "2.11"},
    )


def verdicts_of(results: RunResults, resamples: int = 100) -> pd.DataFrame:
    """The verdict table of a run."""
    return verdict_table(point_of(results, resamples))


@cache
def scored(results: RunResults) -> Scoring:
    """The scoring of a run from few draws, computed once; its tables must not be changed."""
    return score(results, 100)


def reported(results: RunResults, page: Path | None = None) -> Path:
    """Score a run, quickly, and write its report."""
    return render_report(results, scored(results), page)


@pytest.fixture(scope="session")
def drawn_study(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunResults]:
    """Builds a finished run in a temporary folder, once for each choice of its coordinates."""
    built: dict[str, RunResults] = {}

    def once(**chosen: Any) -> RunResults:
        if repr(chosen) not in built:
            built[repr(chosen)] = build(tmp_path_factory.mktemp("drawn"), **chosen)
        return built[repr(chosen)]

    def build(
        place: Path,
        classes: Sequence[str] = ("bkl", "nv", "mel"),
        skill: Mapping[str, float] = SKILL,
        models: Sequence[str] = ("fridadar",),
        folds: int = 2,
        seeds: Sequence[int] = (0,),
        lesions: int = 24,
    ) -> RunResults:
        folder = place / "run"
        catalog = drawn_catalog(place, classes, lesions)
        assert catalog.embedded is not None
        parts = drawn_folds(catalog, folds)
        experiment = drawn_experiment(classes, skill, models, seeds)
        arms = {arm.name: arm for arm in experiment.arms}
        trials = tuple(
            drawn_trial(folder, catalog, fold, arms.get(name, Arm(name=name)), config, seed, value)
            for config in experiment.classifiers
            for name, value in skill.items()
            for fold in parts
            for seed in seeds
        )
        generators = tuple(drawn_generator(folder, classes[-1], fold) for fold in parts)
        record = drawn_run_record(catalog)
        record.write(RunFolder(folder).record)
        return RunResults(
            folder,
            experiment,
            record,
            catalog,
            catalog.embedded,
            parts,
            generators,
            trials,
            (len(generators), len(trials)),
        )

    return once


@pytest.fixture(scope="session")
def drawn_page(drawn_study: Callable[..., RunResults]) -> Callable[..., Path]:
    """The report of such a run, written once for each choice."""
    written: dict[str, Path] = {}

    def once(**chosen: Any) -> Path:
        if repr(chosen) not in written:
            results = drawn_study(**chosen)
            page = results.folder.parent / "page" / "report.html"
            written[repr(chosen)] = reported(results, page)
        return written[repr(chosen)]

    return once


def tables(results: RunResults, *arms: str) -> list[pd.DataFrame]:
    """Test predictions of each arm, as somebody without dermaug would keep them."""
    found = []
    for arm in arms:
        parts = [
            on_test(trial).assign(fold=trial.fold, seed=trial.seed)
            for trial in results.trials
            if trial.arm == arm
        ]
        renamed = {"image_id": "image", "lesion_id": "lesion"}
        found.append(pd.concat(parts).rename(columns=renamed).drop(columns=["group", "part"]))
    return found
