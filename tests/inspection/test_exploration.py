"""A small run whose generators are explored, with near-duplicates planted in its data."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import typer.testing
from begun import open_run
from PIL import Image, ImageEnhance

from dermaug.cli import app
from dermaug.config import Experiment, PhantomConfig
from dermaug.data.sources.phantom import write_phantoms
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import probabilities_of, read_predictions
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.artefacts import find_generator
from dermaug.experiment.run.identity import read_run_experiment
from dermaug.experiment.run.reading import read_results
from dermaug.experiment_file import validate_experiment
from dermaug.inspection.exploration import DUPLICATES, Exploration, explore
from dermaug.inspection.explore_features import (
    COLUMNS,
    TRAINED,
    UNTRAINED,
    compared,
    discriminator_scores,
)
from dermaug.inspection.subject import open_subject
from dermaug.report.document import Page
from dermaug.report.page import folded
from dermaug.report.sections.explore import explore_section, write_explore_page

CPU = torch.device("cpu")
CLASSES = ["mel", "nv", "vasc"]
ACGAN, DCGAN = "generators/acgan/fold0-seed0/all", "generators/dcgan/fold0-seed0/mel"
FLOW = "generators/flow/fold0-seed0/all"
PLANTED = 6


def small(data: Path) -> Experiment:
    short = {"images": 48, "batch": 8, "width": 4, "snapshots": 1, "examined": 4}
    tree = {
        "name": "explored",
        "data": {"source": str(data), "size": 32, "classes": CLASSES},
        "splits": {"folds": 3, "run": [0], "validation": 0.3},
        "classifiers": [{"model": "fridadar", "images": 96, "batch": 32, "validations": 1}],
        "generators": [
            {"family": "acgan"} | short,
            {"family": "dcgan", "classes": ["mel"]} | short,
            {"family": "flow", "options": {"steps": 1}} | short,
        ],
        "arms": [
            {"name": "real"},
            *(
                {"name": family, "synthetic": {"family": family, "dose": 4}, "replay": False}
                for family in ("acgan", "dcgan", "flow")
            ),
        ],
    }
    return validate_experiment(tree, "explored")


def plant(data: Path) -> list[tuple[str, str]]:
    """Copies of some melanomas, brighter and compressed anew, as lesions of their own."""
    table = next(data.glob("*metadata.csv"))
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    originals = [row for row in rows if row["dx"] == "mel"][:PLANTED]
    pairs = []
    with table.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        for place, row in enumerate(originals):
            path = next(data.glob(f"**/{row['image_id']}.jpg"))
            name = f"ISIC_99{place:05d}"
            with Image.open(path) as image:
                ImageEnhance.Brightness(image).enhance(1.1).save(path.parent / f"{name}.jpg")
            writer.writerow(row | {"image_id": name, "lesion_id": f"HAM_99{place:05d}"})
            pairs.append((row["image_id"], name))
    return pairs


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str]]]:
    asked = PhantomConfig(number=420, balanced=True)
    data = write_phantoms(tmp_path_factory.mktemp("explore") / "phantoms", asked, 32)
    return data, plant(data)


@pytest.fixture(scope="module")
def folder(planted: tuple[Path, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_folder = tmp_path_factory.mktemp("explored") / "run"
    run_experiment(run_folder, small(planted[0]), Launch("cpu"))
    return run_folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Exploration:
    return explore(folder / ACGAN, None, CPU)


def called(*words: str | Path) -> tuple[int, str]:
    ended = typer.testing.CliRunner().invoke(app, [str(word) for word in words])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


def test_features_of_the_discriminator_tell_phantoms_apart(found: Exploration) -> None:
    scores = found.features.set_index("features")
    assert list(found.features.columns) == list(COLUMNS)
    assert list(scores.index[:2]) == [TRAINED, UNTRAINED]
    # Three classes: chance is a third. Half of the validation lesions judge, so intervals are wide.
    assert (scores["balanced_accuracy"].iloc[:2] > 0.4).all()
    assert scores.loc[TRAINED, "low"] > 1 / 3
    assert (scores["low"] <= scores["balanced_accuracy"]).all()
    assert scores.loc[TRAINED, ["less_than_trained", "less_low", "less_high"]].tolist() == [0, 0, 0]


def test_the_classifier_of_the_first_arm_stands_beside_them(
    folder: Path, found: Exploration
) -> None:
    """Scored on the lesions that chose neither the snapshot nor C."""
    run = open_run(folder, read_run_experiment(folder))
    classes = run.catalog.classes
    path = folder / "classifiers/real/fridadar/fold0-seed0/predictions.parquet"
    table = read_predictions(path, classes)
    table = table[table["part"] == "validation"]
    chosen_by = open_subject(folder / ACGAN, None, CPU).spec.validation_images
    assert chosen_by
    judged = table[~table["image_id"].isin(chosen_by)]
    assert set(judged["label"]) == set(CLASSES)
    called = np.array(classes)[probabilities_of(judged, classes).argmax(axis=1)]
    right = pd.Series(called == judged["label"].to_numpy()).groupby(judged["label"].to_numpy())
    row = found.features.set_index("features").loc["classifier fridadar, arm real, seed 0"]
    assert row["balanced_accuracy"] == pytest.approx(right.mean().mean())
    assert len(found.features) == 3


def test_too_few_validation_lesions_are_told(folder: Path) -> None:
    subject = open_subject(folder / ACGAN, None, CPU)
    assert subject.fold is not None
    few = replace(subject.fold, validation=subject.fold.validation[:3])
    with pytest.raises(DermaugError, match="no class has 4 validation lesions"):
        discriminator_scores(replace(subject, fold=few))


def test_planted_near_duplicates_are_listed(
    folder: Path, planted: tuple[Path, list[tuple[str, str]]], found: Exploration
) -> None:
    train = set(open_run(folder, read_run_experiment(folder)).fold(0).train)
    expected = {frozenset(pair) for pair in planted[1] if train.issuperset(pair)}
    near = found.duplicates
    assert list(found.duplicates.columns) == list(DUPLICATES)
    assert expected
    assert {frozenset(pair) for pair in zip(near["first"], near["second"], strict=True)} >= expected
    upper, lower = found.pairs.astype(int)
    assert np.abs(upper[0] - lower[0]).mean() < 30


def test_test_images_are_never_looked_at(
    folder: Path, found: Exploration, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = open_subject(folder / ACGAN, None, CPU)
    assert subject.fold is not None
    assert subject.store is not None
    images = np.array(subject.store.images)
    images[subject.store.catalog.rows(subject.fold.test)] = 0
    blind = type(subject.store)(subject.store.catalog, images, subject.store.contents)
    monkeypatch.setattr("dermaug.inspection.subject.decoded", lambda *_: blind)
    again = explore(folder / ACGAN, None, CPU)
    pd.testing.assert_frame_equal(again.features, found.features)
    pd.testing.assert_frame_equal(again.duplicates, found.duplicates)


def test_a_conditional_generator_walks_in_each_class(found: Exploration) -> None:
    assert {label: len(walks) for label, walks in found.walks.items()} == dict.fromkeys(CLASSES, 2)
    assert list(found.arithmetic) == CLASSES


def test_a_generator_of_one_class_says_what_its_discriminator_saw(folder: Path) -> None:
    single = explore(folder / DCGAN, None, CPU)
    assert "images of mel only" in " ".join(single.notes)
    assert list(single.walks) == ["mel"]
    assert len(single.features) == 3


def test_a_family_without_discriminator_is_told_and_the_rest_is_done(folder: Path) -> None:
    flow = explore(folder / FLOW, None, CPU, classes=["nv"])
    assert "flow has no discriminator" in " ".join(flow.notes)
    assert flow.features.empty
    assert list(flow.walks) == ["nv"]
    assert len(flow.duplicates)


def test_a_generator_by_itself_is_walked_through(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / DCGAN / "generator.safetensors", tmp_path)
    alone = explore(tmp_path, None, CPU)
    assert alone.duplicates.empty
    assert "not in a run folder" in alone.notes[0]
    assert "--data" in alone.notes[1]
    assert len(alone.walks["mel"]) == 6
    page = write_explore_page(tmp_path / "out", alone, "alone").read_text(encoding="utf-8")
    assert "Vector arithmetic" in page
    assert "Near-duplicates among" not in page


def test_the_command_writes_page_sheets_and_numbers(folder: Path, tmp_path: Path) -> None:
    code, output = called("explore", folder / DCGAN, "-o", tmp_path / "out", "--json")
    assert code == 0
    record = json.loads(output[output.index("{") : output.rindex("}") + 1])
    assert record["classes"] == ["mel"]
    stored = json.loads((tmp_path / "out/explore.json").read_text(encoding="utf-8"))
    assert {key: stored[key] for key in record} == record
    page = (tmp_path / "out/explore.html").read_text(encoding="utf-8")
    assert page.count('<img src="data:image/png;base64,') == 3
    assert "http-equiv" in page
    figures = tmp_path / "out" / "figures"
    assert pd.read_csv(figures / "walks.csv")["interpolations"].tolist() == [6]
    names = {"walks-0-mel.png", "arithmetic-0-mel.png", "duplicates.png", "features.csv"}
    assert names <= {path.name for path in figures.iterdir()}


def test_the_report_of_the_run_points_to_it(folder: Path, found: Exploration) -> None:
    run = open_run(folder, read_run_experiment(folder))
    results = read_results(run)
    assert explore_section(results, folder / "report.html").content == []
    write_explore_page(folder / ACGAN / "explore", found, "it")
    section = explore_section(results, folder / "report.html")
    shutil.rmtree(folder / ACGAN / "explore")
    page = Page("", "", "", "", folded([section]), "").render()
    assert f'href="{ACGAN}/explore/explore.html"' in page
    assert "Generators explored" in page


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nowhere"], "expected a generator (generator.safetensors)"),
        (["RUN"], "expected one generator, found 3; name one of them"),
        (["RUN/experiment.json"], "not a dermaug checkpoint"),
        (["RUN/classifiers/real/fridadar/fold0-seed0/classifier.safetensors"], "not a generator"),
        ([f"RUN/{DCGAN}", "--class", "nv"], "expected classes it was trained on (mel)"),
        ([f"RUN/{DCGAN}", "--data", "OTHER"], "30 images are new"),
        ([f"RUN/{DCGAN}", "--data", "nowhere"], "nowhere"),
    ],
)
def test_what_is_no_generator_or_not_its_data_is_refused(
    folder: Path, planted: tuple[Path, object], tmp_path: Path, words: list[str], expected: str
) -> None:
    other = tmp_path / "other"
    if "OTHER" in words:
        write_phantoms(other, PhantomConfig(number=70, balanced=True, seed=5), 32)
    given = [word.replace("RUN", str(folder)).replace("OTHER", str(other)) for word in words]
    code, output = called("explore", *given, "-o", tmp_path / "out")
    assert code == 2
    assert expected in " ".join(output.split())
    assert not (tmp_path / "out").exists()


def test_a_generator_of_another_runs_fold_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("experiment.json", "run.json", "twins.json"):
        shutil.copy(folder / name, tmp_path)
    shutil.copytree(folder / "contents", tmp_path / "contents")
    folds = json.loads((folder / "folds.json").read_text(encoding="utf-8"))
    (tmp_path / "folds.json").write_text(json.dumps(folds[:0]))
    shutil.copy(folder / DCGAN / "generator.safetensors", tmp_path)
    with pytest.raises(DermaugError, match="expected the fold that the generator was trained on"):
        open_subject(tmp_path, None, CPU)
    assert find_generator(tmp_path) == tmp_path / "generator.safetensors"


def test_intervals_are_those_of_paired_answers() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(300) % 3
    wrong = (labels + 1) % 3
    good, bad = (np.where(random.random(300) < share, labels, wrong) for share in (0.9, 0.5))
    scores = compared(labels, np.arange(300) // 2, {"good": good, "bad": bad, "same": good}, 3)
    assert scores["balanced_accuracy"].tolist() == pytest.approx(
        [np.mean([(each[labels == c] == c).mean() for c in range(3)]) for each in (good, bad, good)]
    )
    assert scores["less_low"][1] > 0.25
    assert scores["less_high"][1] < 0.55
    assert scores.loc[2, ["less_than_trained", "less_low", "less_high"]].tolist() == [0, 0, 0]
