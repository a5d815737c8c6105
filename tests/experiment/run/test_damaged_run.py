"""A run some of whose files were changed by hand: each is named, and none ends in a traceback."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.artefacts import find_classifiers, find_generator, recorded_set
from dermaug.experiment.run.contents import read_remembered
from dermaug.experiment.run.identity import read_run_experiment
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.results import RunResults
from dermaug.experiment.run.run import prepare_run
from dermaug.experiment_file import validate_experiment
from dermaug.export.synthetic import export_synthetic
from dermaug.files import read_json, read_sealed, sha256, write_sealed
from dermaug.inspection.audit_run import read_audit
from dermaug.inspection.planes import audit_images, embed_run, read_embedding
from dermaug.report.sections.training_curves import classifier_curves, generator_curves
from dermaug.study import run_study
from dermaug.synthesis.synthetic_set import read_synthetic_set, write_synthetic_set
from dermaug.training.checkpoint import load_checkpoint
from dermaug.training.fabric import start_fabric
from dermaug.training.file_names import CLASSIFIER

EMBEDDING = "audit/embedding.json"
GENERATOR = "generators/dcgan/fold0-seed0/mel"
TRIAL = "classifiers/real/fridadar/fold0-seed0"
OTHER = "classifiers/dose/fridadar/fold0-seed0"
ASKED: dict[str, Any] = {
    "name": "whole",
    "data": {
        "size": 32,
        "classes": ["mel", "nv"],
        "phantom": {"number": 140, "balanced": True},
    },
    "splits": {"folds": 3, "run": [0]},
    "classifiers": [{"images": 64, "batch": 16, "validations": 2}],
    "generators": [{"classes": ["mel"], "images": 32, "batch": 8, "width": 4, "snapshots": 2}],
    "arms": [{"name": "real"}, {"name": "dose", "synthetic": {"dose": 4}, "replay": False}],
}


@pytest.fixture(scope="module")
def asked() -> Experiment:
    return validate_experiment(ASKED, "whole")


@pytest.fixture(scope="module")
def whole(asked: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    audit_images(run_experiment(folder, asked, Launch("cpu")), "cpu")
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of the whole run."""
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def forge(path: Path, change: str | dict[str, object]) -> None:
    """Change a record together with its digest, so that only its content tells."""
    if isinstance(change, str):
        path.write_text(change)
    else:
        write_sealed(path, read_sealed(path) | change)


def read(folder: Path, asked: Experiment) -> RunResults:
    return read_results(prepare_run(folder, asked))


def test_whole_run_is_read(folder: Path, asked: Experiment) -> None:
    results = read(folder, asked)
    assert (len(results.generators), len(results.trials)) == (1, 2)
    assert results.trials[0].record.model_dump(mode="json") == read_sealed(
        folder / TRIAL / "record.json"
    )
    assert all(kind == float for kind in results.trials[0].journal.dtypes)  # noqa: E721
    assert classifier_curves(results, ["real", "dose"]) is not None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (f"{TRIAL}/record.json", "[]"),
        (f"{TRIAL}/record.json", {"prior": {"mel": "0.5"}}),
        (f"{TRIAL}/record.json", {"train_counts": {"mel": 3}}),
        (f"{TRIAL}/record.json", {"curation": {"mel": {"kept": 3}}}),
        (f"{TRIAL}/record.json", {"training": {"seconds": 1.0}}),
        (f"{GENERATOR}/record.json", "3"),
        (f"{GENERATOR}/record.json", {"fold_key": 5}),
        (f"{GENERATOR}/record.json", {"vitals": [1]}),
        (f"{GENERATOR}/record.json", {"seconds": True}),
        ("run.json", {"data": {"fingerprint": "x"}}),
        ("run.json", {"versions": "none"}),
    ],
    ids=lambda part: str(part)[-40:],
)
def test_manifest_of_other_content_is_named(
    folder: Path, asked: Experiment, name: str, change: str | dict[str, object]
) -> None:
    path = folder / name
    forge(path, change)
    with pytest.raises(DermaugError, match=f"{path}: (expected|the content is not)"):
        read(folder, asked)


@pytest.mark.parametrize(
    "name",
    [
        "contents/details.npy",
        "contents/data.parquet",
        f"{TRIAL}/classifier.safetensors",
        f"{TRIAL}/journal.jsonl",
        f"{TRIAL}/predictions.parquet",
        f"{GENERATOR}/generator.safetensors",
        f"{GENERATOR}/journal.jsonl",
        f"{GENERATOR}/synthetic/images.npy",
        f"{GENERATOR}/synthetic/metadata.csv",
    ],
)
def test_a_pipe_is_refused_and_not_waited_for(folder: Path, asked: Experiment, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(DermaugError, match=f"{folder / name}: expected "):
        read_all(folder, asked)


def read_all(folder: Path, asked: Experiment) -> None:
    read(folder, asked)
    read_remembered(folder)
    read_synthetic_set(folder / GENERATOR / "synthetic")
    for path in folder.rglob("*.safetensors"):
        load_checkpoint(path)


def test_a_lost_record_of_the_run_is_named(folder: Path, asked: Experiment) -> None:
    (folder / "run.json").unlink()
    with pytest.raises(DermaugError, match=r"run\.json: expected the record of the run to which"):
        run_experiment(folder, asked, Launch("cpu"))
    assert not (folder / "run.json").exists()


def test_a_finished_run_needs_its_checkpoints_no_more(folder: Path, asked: Experiment) -> None:
    before = read(folder, asked)
    for path in folder.rglob("*.safetensors"):
        path.unlink()
    audit_images(prepare_run(folder, asked), "cpu")
    assert len(read(folder, asked).trials) == len(before.trials) > 0
    assert read_audit(folder / GENERATOR) is not None


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("experiment.json", '"balanced_accuracy": 0.02', '"balanced_accuracy": 0.5'),
        ("experiment.json", '"primary": "balanced_accuracy"', '"primary": "macro_auc"'),
        ("run.json", '"started": "2', '"started": "1'),
        (f"{TRIAL}/record.json", '"seed": 0', '"seed": 1'),
        (f"{TRIAL}/record.json", '"prior": {\n    "mel": 0.', '"prior": {\n    "mel": 0.1'),
        (f"{GENERATOR}/record.json", '"diagnosis": ""', '"diagnosis": "stopped"'),
    ],
)
def test_a_value_edited_by_hand_is_noticed(folder: Path, name: str, old: str, new: str) -> None:
    """Each file remains valid in itself: a margin edited after the scores were seen, say."""
    edited(folder / name, old, new)
    with pytest.raises(DermaugError, match=f"{folder / name}: expected the content that dermaug"):
        read(folder, read_run_experiment(folder))


def test_layout_and_order_of_a_record_do_not_matter(folder: Path) -> None:
    path = folder / "experiment.json"
    before = read_run_experiment(folder)
    path.write_text(json.dumps(dict(reversed(read_json(path).items()))))
    assert read_run_experiment(folder) == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00v\x00{'descr'"])
def test_detail_that_is_no_array_is_named(folder: Path, content: bytes) -> None:
    path = folder / "contents" / "details.npy"
    path.write_bytes(content)
    noted = read_sealed(folder / "run.json")["contents"] | {path.name: sha256(path)}
    forge(folder / "run.json", {"contents": noted})
    with pytest.raises(DermaugError, match="expected the detail of the run's images"):
        read_remembered(folder)


def test_stored_contents_that_were_changed_are_named(folder: Path) -> None:
    """Else images that the run knows would pass as new ones."""
    table, details = (folder / "contents" / name for name in ("data.parquet", "details.npy"))
    known, whole = pd.read_parquet(table), table.read_bytes()
    known.iloc[1:].to_parquet(table, index=False)
    with pytest.raises(DermaugError, match=f"{table}: expected the stored contents that the run"):
        read_remembered(folder)
    table.write_bytes(whole)
    np.save(details, np.zeros_like(np.load(details)))
    with pytest.raises(DermaugError, match=f"{details}: expected the stored contents"):
        read_remembered(folder)


def test_predictions_that_were_changed_or_exchanged_are_named(
    folder: Path, asked: Experiment
) -> None:
    """Each table is whole and fits the fold: only its digest tells."""
    mine, others = (folder / trial / "predictions.parquet" for trial in (TRIAL, OTHER))
    kept = mine.read_bytes()
    expected = f"{mine}: expected the predictions that this trial wrote"
    table = pd.read_parquet(mine)
    table.loc[0, ["p_mel", "p_nv"]] = [0.25, 0.75]
    table.to_parquet(mine, index=False)
    with pytest.raises(DermaugError, match=expected):
        read(folder, asked)
    shutil.copy(others, mine)
    with pytest.raises(DermaugError, match=expected):
        read(folder, asked)
    mine.unlink()
    with pytest.raises(DermaugError, match=f"{expected}, found no file; .* delete {mine.parent} "):
        read(folder, asked)
    mine.write_bytes(kept)
    assert len(read(folder, asked).trials) == 2


@pytest.mark.parametrize("lost", ["metadata.csv", "images.npy", "manifest.json", ""])
def test_a_lost_synthetic_set_comes_back_as_the_advice_says(
    folder: Path, asked: Experiment, lost: str
) -> None:
    path = folder / GENERATOR / "synthetic" / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DermaugError, match=f"delete {folder / GENERATOR} and run the study again"):
        read(folder, asked)
    if not lost:
        shutil.rmtree(folder / GENERATOR)
        run_experiment(folder, asked, Launch("cpu"))
        assert len(read(folder, asked).generators) == 1


@pytest.mark.parametrize("name", ["data.parquet", "details.npy"])
@pytest.mark.parametrize("as_folder", [True, False])
def test_lost_contents_of_images_are_named(folder: Path, name: str, as_folder: bool) -> None:
    path = folder / "contents" / name
    path.unlink()
    if as_folder:
        path.mkdir()
    with pytest.raises(DermaugError, match=f"{path}: expected .* no file.*; copy the whole run"):
        read_remembered(folder)


def exchange(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def test_folders_that_were_exchanged_are_named(folder: Path, asked: Experiment) -> None:
    exchange(folder / TRIAL, folder / OTHER)
    expected = f"expected the record of {TRIAL}, found that of {OTHER}; folders were exchanged"
    for use in (
        lambda: read(folder, asked),
        lambda: find_classifiers(folder / TRIAL),
        lambda: find_classifiers(folder / TRIAL / CLASSIFIER),
    ):
        with pytest.raises(DermaugError, match=expected):
            use()
    with pytest.raises(DermaugError, match="folders were exchanged"):
        find_classifiers(folder)


def test_checkpoints_that_were_exchanged_are_named_before_anything_is_written(
    folder: Path, asked: Experiment
) -> None:
    audit = (folder / GENERATOR / "audit.json").read_bytes()
    exchange(folder / TRIAL / CLASSIFIER, folder / OTHER / CLASSIFIER)
    expected = f"expected the record of {CLASSIFIER} beside it, found that of another network"
    for use in (
        lambda: read(folder, asked),
        lambda: find_classifiers(folder / TRIAL),
        lambda: run_study(folder, asked, Launch("cpu"), ""),
    ):
        with pytest.raises(DermaugError, match=expected):
            use()
    assert (folder / GENERATOR / "audit.json").read_bytes() == audit


def test_a_set_drawn_by_another_generator_is_named(folder: Path, asked: Experiment) -> None:
    place = folder / GENERATOR / "synthetic"
    drawn = read_synthetic_set(place)
    other = replace(drawn, provenance=replace(drawn.provenance, generator="0" * 64))
    write_synthetic_set(place, replace(other, images=np.array(drawn.images)))
    for use in (
        lambda: read(folder, asked),
        lambda: export_synthetic(place, folder / "out", "imagefolder"),
    ):
        with pytest.raises(DermaugError, match=f"{place}: expected images drawn by the generator"):
            use()
    assert not (folder / "out").exists()


def test_an_audit_of_another_generator_is_named(folder: Path) -> None:
    place = folder / GENERATOR
    assert read_audit(place) is not None
    forge(place / "audit.json", {"generator": "0" * 64})
    with pytest.raises(DermaugError, match="expected the audit of the generator beside it"):
        read_audit(place)


@pytest.mark.parametrize("job", [TRIAL, GENERATOR])
def test_journals_that_were_changed_or_lost_are_named(
    folder: Path, asked: Experiment, job: str
) -> None:
    path = folder / job / "journal.jsonl"
    path.write_text(path.read_text() + "\n")
    for _ in ("changed", "lost"):
        with pytest.raises(DermaugError, match=f"{path}: expected the journal that this training"):
            read(folder, asked)
        path.unlink(missing_ok=True)


def test_what_another_run_wrote_is_named(
    folder: Path, whole: Path, asked: Experiment, tmp_path: Path
) -> None:
    """Another run of the same data: other settings, or another training of the same ones."""
    others = validate_experiment(ASKED | {"verdict": {"margin": {"macro_auc": 0.4}}}, "whole")
    other = run_experiment(tmp_path / "other", others, Launch("cpu")).folder
    for name, expected in (
        ("experiment.json", "expected the experiment with which this run was started"),
        ("run.json", "expected the experiment with which this run was started"),
        (TRIAL, "expected a network that was trained in this run, found that of another run"),
        (GENERATOR, "expected a network that was trained in this run, found that of another run"),
    ):
        exchange(folder / name, other / name)
        with pytest.raises(DermaugError, match=expected):
            read(folder, read_run_experiment(folder))
        exchange(folder / name, other / name)
    assert len(read(folder, asked).trials) == 2
    shutil.rmtree(folder / TRIAL)
    shutil.rmtree(folder / GENERATOR)
    shutil.copytree(other / TRIAL, folder / TRIAL)
    shutil.copytree(other / GENERATOR, folder / GENERATOR)
    for use in (
        lambda: find_classifiers(folder / TRIAL),
        lambda: find_generator(folder / GENERATOR),
        lambda: recorded_set(folder / GENERATOR / "synthetic"),
    ):
        with pytest.raises(DermaugError, match="found that of another run"):
            use()


def test_a_generator_that_was_replaced_after_its_images_were_used_is_named(
    folder: Path, asked: Experiment
) -> None:
    forge(folder / GENERATOR / "record.json", {"digest": "0" * 64})
    (folder / GENERATOR / "generator.safetensors").unlink()
    synthetic = read_synthetic_set(folder / GENERATOR / "synthetic")
    other = replace(synthetic.provenance, generator="0" * 64)
    write_synthetic_set(
        folder / GENERATOR / "synthetic",
        replace(synthetic, provenance=other, images=np.array(synthetic.images)),
    )
    with pytest.raises(DermaugError, match=f"{OTHER}: was made with {GENERATOR}, which was"):
        read(folder, asked)


def test_copies_within_a_run_are_not_counted(folder: Path) -> None:
    shutil.copytree(folder / TRIAL, folder / f"{TRIAL} (copy)")
    shutil.copytree(folder / "classifiers", folder / "old" / "classifiers")
    found = {one.path.parent for one in find_classifiers(folder)}
    assert found == {folder / TRIAL, folder / OTHER}


def journal_of(job: Path, text: str) -> Path:
    """Another journal, as if the training had written it."""
    path = job / "journal.jsonl"
    path.write_text(f"{text}\n")
    ties = read_sealed(job / "record.json")["ties"]
    forge(job / "record.json", {"ties": ties | {"journal": sha256(path)}})
    return path


@pytest.mark.parametrize("row", ['{"images": 64}', '{"validation_balanced_accuracy": 1}', "[]"])
def test_journal_of_a_classifier_without_its_column_is_named(
    folder: Path, asked: Experiment, row: str
) -> None:
    path = journal_of(folder / TRIAL, row)
    with pytest.raises(DermaugError, match=f"{path} line 1: expected numbers named images"):
        read(folder, asked)


@pytest.mark.parametrize("row", ['{"images": 64}', '{"images": 64, "loss_g": null}'])
def test_journal_of_a_generator_without_losses_is_drawn(
    folder: Path, asked: Experiment, row: str
) -> None:
    journal_of(folder / GENERATOR, row)
    figure = generator_curves(read(folder, asked))
    assert figure is not None
    assert len(figure.panels) == 1


@pytest.mark.parametrize(
    ("name", "change", "reader"),
    [
        (f"{GENERATOR}/audit.json", "[]", lambda folder: read_audit(folder / GENERATOR)),
        (f"{GENERATOR}/audit.json", {"numbers": []}, lambda folder: read_audit(folder / GENERATOR)),
        (f"{GENERATOR}/audit.json", {"pairs": [{}]}, lambda folder: read_audit(folder / GENERATOR)),
        (f"{GENERATOR}/audit.json", {"pairs": 3}, lambda folder: read_audit(folder / GENERATOR)),
        (EMBEDDING, "[]", read_embedding),
        (EMBEDDING, {"points": [{"plane": "with", "x": "a"}]}, read_embedding),
        (EMBEDDING, {"run": "another"}, read_embedding),
        (EMBEDDING, {"networks": {TRIAL: "another"}}, read_embedding),
    ],
)
def test_audit_of_other_content_is_named(
    folder: Path, name: str, change: str | dict[str, object], reader: Callable[[Path], object]
) -> None:
    path = folder / name
    assert reader(folder) is not None
    forge(path, change)
    with pytest.raises(DermaugError, match=f"{path}: (expected|the content is not)"):
        reader(folder)


def test_plane_of_other_content_stops_a_run_with_a_message(folder: Path, asked: Experiment) -> None:
    (folder / EMBEDDING).write_text("[]")
    with pytest.raises(DermaugError, match="expected a JSON object"):
        embed_run(prepare_run(folder, asked), start_fabric("cpu").device)
