"""Verdicts where the truth is known, all five: fresh lesions help, wrong labels hurt, a copy is a
replay, a class without a margin is inconclusive, and one training is not judged.

One fold, because a copy of the training split is a copy of one fold's; four seeds instead.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from begun import open_run
from drawn import verdicts_of
from PIL import Image

from dermaug.config import Experiment
from dermaug.data.sources.phantom import draw_class
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.plan.checks import training_counts
from dermaug.experiment.plan.comparisons import BASELINE, NEGATIVE
from dermaug.experiment.run.artefacts import find_classifiers
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.results import RunResults
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.judges import classifier_judge
from dermaug.experiment.stages.training_set import training_set
from dermaug.experiment_file import validate_experiment
from dermaug.inspection.audit_folder import FolderAudit, audit_folder
from dermaug.scoring.points import point_of
from dermaug.stats.outcomes import EQUIVALENT, HELPS, HURTS, INCONCLUSIVE, NOT_JUDGED
from dermaug.training.fabric import start_fabric

pytestmark = pytest.mark.slow

CLASSES = ["mel", "nv"]
SIZE = 32
LESIONS = 6
"""Training lesions per class."""
FRESH = 200
"""Fresh lesions per class that the oracle adds."""
MARGIN = 0.1


def asked(*arms: dict[str, object]) -> Experiment:
    tree = {
        "name": "known_truth",
        "data": {
            "size": SIZE,
            "classes": CLASSES,
            "phantom": {"number": 1_050, "seed": 1, "balanced": True},
        },
        "splits": {"folds": 2, "run": [0], "lesions": [LESIONS]},
        "seeds": [0, 1, 2, 3],
        # Averaged weights: less chance in each training, so four seeds are enough.
        "classifiers": [{"images": 2_000, "batch": 16, "validations": 2, "ema": 0.95}],
        "verdict": {"margin": {"balanced_accuracy": MARGIN}},
        "arms": [{"name": "real"}, *arms],
    }
    return validate_experiment(tree, "known_truth")


def arm(name: str, **synthetic: object) -> dict[str, object]:
    return {
        "name": name,
        "synthetic": synthetic,
        "replay": name == "copy",
    }


def write_images(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Class folders of PNGs, as any other tool would write them."""
    for number, (image, place) in enumerate(zip(images, labels, strict=True)):
        path = folder / CLASSES[place] / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, RunResults, Path]:
    """The study, and the folders that its arms were told to be synthetic."""
    folder = tmp_path_factory.mktemp("known_truth")
    before = open_run(folder / "before", asked())
    fold = before.fold(0, LESIONS)
    rows = before.catalog.rows(fold.train)
    write_images(folder / "copies", before.images[rows], before.catalog.labels[rows])
    noise = np.random.default_rng(0).integers(0, 256, (2 * FRESH, SIZE, SIZE, 3), np.uint8)
    write_images(folder / "noise", noise, np.arange(len(noise)) % 2)
    # Fresh lesions under each other's names: more of them than of right ones.
    drawn = [draw_class(label, FRESH, 7, SIZE).images for label in CLASSES]
    write_images(folder / "wrong", np.concatenate(drawn), np.repeat([1, 0], FRESH))
    experiment = asked(
        arm("oracle", family="oracle", dose=FRESH),
        arm("noise", folder=str(folder / "noise"), dose=FRESH, max_per_real=0.0),
        arm("wrong", folder=str(folder / "wrong"), dose=FRESH, max_per_real=0.0),
        # As many of each class as there are: the whole training split once more.
        arm(
            "copy",
            folder=str(folder / "copies"),
            dose=training_counts(before.catalog, fold),
        ),
    )
    results = read_results(run_experiment(folder / "run", experiment, Launch("cpu")))
    return open_run(folder / "run", experiment), results, folder


@pytest.fixture(scope="module")
def verdicts(made: tuple[Run, RunResults, Path]) -> pd.DataFrame:
    """Verdicts on mean sensitivity, by arm and reference."""
    table = verdicts_of(made[1])
    return table[table["family"] == "mean sensitivity"].set_index(["arm", "reference"])


def test_fresh_lesions_help(verdicts: pd.DataFrame) -> None:
    oracle = verdicts.loc["oracle", "real"]
    assert oracle["verdict"] == HELPS, oracle["sentence"]
    assert oracle["low"] > 0


def test_noise_never_helps(verdicts: pd.DataFrame) -> None:
    noise = verdicts.loc["noise", "real"]
    assert noise["verdict"] in {HURTS, INCONCLUSIVE, EQUIVALENT}, noise["sentence"]
    assert noise["low"] <= 0


def test_wrong_labels_hurt(verdicts: pd.DataFrame) -> None:
    wrong = verdicts.loc["wrong", "real"]
    assert wrong["verdict"] == HURTS, wrong["sentence"]
    assert wrong["high"] < 0


def test_copies_of_the_training_part_are_a_replay_and_no_more(verdicts: pd.DataFrame) -> None:
    # Every class is shown as often as without the copies: the replay is a negative control, and the
    # arm is judged against its baseline alone.
    assert ("copy", "copy-replay") not in verdicts.index
    copy = verdicts.loc["copy", "real"]
    assert copy["verdict"] == EQUIVALENT, copy["sentence"]
    assert f"within a margin of {MARGIN:g}" in copy["sentence"]
    # The same study sees effects of the oracle's size: it is not blind.
    assert copy["detectable"] < 2 * verdicts.loc["oracle", "real"]["difference"]
    assert abs(copy["difference"]) < verdicts.loc["oracle", "real"]["difference"]


def test_classes_without_a_margin_are_inconclusive_where_nothing_differs(
    made: tuple[Run, RunResults, Path],
) -> None:
    table = verdicts_of(made[1])
    classes = table[(table["arm"] == "copy") & (table["family"] == "class sensitivity")]
    assert set(classes["verdict"]) == {INCONCLUSIVE}


def test_one_training_of_each_arm_is_not_judged_even_where_the_truth_is_large(
    made: tuple[Run, RunResults, Path],
) -> None:
    results = made[1]
    once = tuple(trial for trial in results.trials if trial.seed == 0)
    table = verdicts_of(replace(results, trials=once))
    oracle = table[(table["arm"] == "oracle") & (table["family"] != "")]
    assert set(oracle["verdict"]) == {NOT_JUDGED}


def test_copy_and_replay_are_trained_on_the_same_images(made: tuple[Run, RunResults, Path]) -> None:
    run = made[0]
    sets = {
        job.arm: training_set(run, job, torch.device("cpu"))
        for job in run.jobs.classifiers
        if job.seed == 0 and job.arm.startswith("copy")
    }
    copy, replay = (
        sorted(zip(found.labels.tolist(), map(bytes, found.images), strict=True))
        for found in (sets["copy"], sets["copy-replay"])
    )
    assert copy == replay
    assert sets["copy"].provenance == "unknown"


def test_every_contrast_was_judged_together(
    made: tuple[Run, RunResults, Path], verdicts: pd.DataFrame
) -> None:
    contrasts = [effect.contrast for effect in point_of(made[1], 50).effects]
    assert {each.role for each in contrasts} == {BASELINE, NEGATIVE}
    asked = [each for each in contrasts if each.role == BASELINE]
    assert list(verdicts.index) == [(each.arm, each.reference) for each in asked]
    assert (verdicts["p_holm"] >= verdicts["p"]).all()
    assert (verdicts["num_pairs"] == 4).all()


def audited(made: tuple[Run, RunResults, Path], name: str) -> FolderAudit:
    run, results, folder = made
    (stored,) = find_classifiers(next(c for c in results.trials if c.arm == "real").folder)
    judge = classifier_judge(stored.path, start_fabric("cpu").device)
    return audit_folder(folder / name, run.catalog.root, judge, stored=stored)


def test_the_audit_finds_the_copies_and_only_them(made: tuple[Run, RunResults, Path]) -> None:
    found = audited(made, "copies").audit.numbers
    assert sorted(found["label"]) == CLASSES
    assert (found["copy_rate"] > 0.95).all()
    assert (found["copy_low"] > found["copy_expected"]).all()
    assert (audited(made, "noise").audit.numbers["copy_rate"] == 0).all()
