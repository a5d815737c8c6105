"""A whole small run, audited; then the same images as a stranger would hand them in."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import typer.testing
from begun import open_run
from lightning_fabric import Fabric
from PIL import Image

from dermaug.cli import app
from dermaug.config import Experiment, PhantomConfig
from dermaug.data.sources.phantom import write_phantoms
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.artefacts import only_classifier
from dermaug.experiment.run.identity import read_run_experiment
from dermaug.experiment.run.layout import JobFolder, RunFolder
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.generate import generator_task
from dermaug.experiment.stages.judges import classifier_judge
from dermaug.experiment_file import validate_experiment
from dermaug.export.synthetic import export_synthetic
from dermaug.files import read_sealed, write_sealed
from dermaug.generators.saved_generator import load_generator
from dermaug.inspection import audit_run as audit
from dermaug.inspection.audit_folder import (
    BY_NAME,
    audit_folder,
)
from dermaug.inspection.audit_instances import COLUMNS as INSTANCES
from dermaug.inspection.audit_instances import realism
from dermaug.inspection.audit_parts import UNKNOWN, _known_fold, _likely_fold, fold_of, part_images
from dermaug.inspection.audit_run import audit_run, control_of_family, read_audit
from dermaug.inspection.audit_summary import collect_audits
from dermaug.inspection.planes import audit_images, embed_run, read_embedding
from dermaug.report.blocks import Figure, Table
from dermaug.report.sections.audit import audit_findings, audit_section, audit_sentences
from dermaug.report.sections.audit_tables import audit_tables
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.checkpoint import checkpoint_digest

PLANES = ("0-without.svg", "1-with.svg", "2-together.svg")
CPU = torch.device("cpu")
GENERATOR = "generators/dcgan/fold0-seed0/mel"
CONTROL = "classifiers/real/fridadar/fold0-seed0"


def small(data: Path) -> Experiment:
    tree = {
        "name": "audited",
        "data": {"source": str(data), "size": 32, "classes": ["mel", "nv"]},
        "splits": {"folds": 3, "run": [0], "validation": 0.4},
        "classifiers": [{"model": "fridadar", "images": 128, "batch": 32, "validations": 1}],
        "generators": [
            {"family": "dcgan", "classes": ["mel"], "images": 64, "batch": 8, "width": 4}
        ],
        "arms": [
            {"name": "real"},
            {"name": "synthetic", "synthetic": {"dose": 70, "max_per_real": 0.0}},
        ],
    }
    return validate_experiment(tree, "audited")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = PhantomConfig(number=330, balanced=True)
    return write_phantoms(tmp_path_factory.mktemp("audit") / "phantoms", asked, 32)


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_folder = tmp_path_factory.mktemp("audited") / "run"
    made = run_experiment(run_folder, small(data), Launch("cpu"))
    audit_images(made, "cpu")
    return run_folder


@pytest.fixture
def run(folder: Path) -> Run:
    return open_run(folder, read_run_experiment(folder))


def called(*words: str | Path) -> tuple[int, str]:
    ended = typer.testing.CliRunner().invoke(app, [str(word) for word in words])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


def test_a_run_leaves_the_audit_beside_its_generator(folder: Path) -> None:
    stored = read_audit(folder / GENERATOR)
    assert stored is not None
    (row,) = stored.numbers.to_dict("records")
    assert (row["family"], row["label"], row["fold"], row["seed"]) == ("dcgan", "mel", 0, 0)
    assert row["images"] == 70
    assert np.isfinite([row["kid"], row["kid_floor"], row["copy_rate"], row["visible_share"]]).all()
    assert len(stored.pairs) == 8


def test_snapshots_are_chosen_by_one_half_of_validation_and_judged_by_the_other(
    run: Run, folder: Path
) -> None:
    table = run.catalog.table.set_index("image_id")
    kept = table.loc[list(run.fold(0).validation)]
    kept = kept[kept["label"] == "mel"]
    chosen_by = read_synthetic_set(folder / GENERATOR / "synthetic").provenance.validation_images
    assert chosen_by
    assert set(chosen_by) < set(kept.index)
    _, spec = load_generator(folder / GENERATOR / "generator.safetensors", CPU)
    assert spec.validation_images == chosen_by
    others = kept[~kept["lesion_id"].isin(kept.loc[list(chosen_by), "lesion_id"])]
    assert set(others.index) == set(kept.index) - set(chosen_by)
    stored = read_audit(folder / GENERATOR)
    assert stored is not None
    (row,) = stored.numbers.to_dict("records")
    assert (row["validation_images"], row["chosen_by_validation"]) == (len(others), False)
    assert row["validation_lesions"] == others["lesion_id"].nunique()
    assert set(stored.pairs["training_image"]) <= set(run.fold(0).train)


def spoilt(run: Run, image_ids: Iterable[str], copied: Path) -> Run:
    """The run with noise in the place of some images, and nothing audited yet."""
    if not copied.exists():
        shutil.copytree(run.folder, copied)
    JobFolder(copied / GENERATOR).audit.unlink(missing_ok=True)
    images, rows = np.array(run.images), run.catalog.rows(tuple(image_ids))
    images[rows] = np.random.default_rng(0).integers(0, 256, images[rows].shape, dtype=np.uint8)
    return replace(run, folder=copied, store=replace(run.store, images=images))


def test_audit_reads_neither_test_nor_what_the_snapshot_was_chosen_by(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    fold, expected = run.fold(0), audit_run(run, CPU)
    chosen_by = read_synthetic_set(folder / GENERATOR / "synthetic").provenance.validation_images
    unread = spoilt(run, {*fold.test, *chosen_by}, tmp_path / "run")
    pd.testing.assert_frame_equal(audit_run(unread, CPU), expected)
    read = spoilt(run, set(fold.validation) - set(chosen_by), tmp_path / "run")
    found = audit_run(read, CPU)
    for name in ("kid", "fid", "pixel_threshold", "feature_threshold"):
        assert found[name].item() != expected[name].item(), name


def test_snapshots_look_neither_at_test_nor_at_the_audits_half(
    run: Run, fabric: Fabric, tmp_path: Path
) -> None:
    fold, (job,) = run.fold(0), run.jobs.generators
    task = generator_task(run, job, fabric)
    others = {*fold.test, *fold.validation} - set(task.spec.validation_images)
    blind = generator_task(spoilt(run, others, tmp_path / "run"), job, fabric)
    np.testing.assert_array_equal(task.validation.images, blind.validation.images)
    np.testing.assert_array_equal(task.training.images, blind.training.images)
    assert len(task.validation) == len(task.spec.validation_images)
    lesions = run.catalog.table.set_index("image_id")["lesion_id"]
    known, kept = task.groups
    assert kept.tolist() == lesions.loc[list(task.spec.validation_images)].tolist()
    assert known.tolist() == lesions.loc[list(task.spec.training_images)].tolist()


def test_nothing_is_chosen_where_snapshots_are_not_examined(run: Run, fabric: Fabric) -> None:
    (job,) = run.jobs.generators
    job = replace(job, config=job.config.model_copy(update={"examined": 0}))
    assert generator_task(run, job, fabric).spec.validation_images == ()


def test_a_set_that_does_not_tell_is_judged_by_all_and_marked(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    """Its snapshot may have been chosen by any validation image."""
    copied = tmp_path / "run"
    shutil.copytree(folder, copied)
    JobFolder(copied / GENERATOR).audit.unlink()
    manifest = copied / GENERATOR / "synthetic" / "manifest.json"
    write_sealed(manifest, read_sealed(manifest) | {"validation_images": None})
    numbers = audit_run(replace(run, folder=copied), CPU)
    kept = run.catalog.table.set_index("image_id").loc[list(run.fold(0).validation)]
    assert numbers["validation_images"].item() == (kept["label"] == "mel").sum()
    assert numbers["chosen_by_validation"].item()
    distances, _ = audit_tables(numbers)
    assert distances.rows[1][0] == "mel†"
    assert "†: audited on the images" in distances.caption
    assert any("audited on the same real images" in each for each in audit_sentences(numbers))
    before = audit_run(run, CPU)
    assert "†" not in str(audit_tables(before))
    assert not any("audited on the same" in each for each in audit_sentences(before))


def test_an_audit_is_read_back_not_done_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = audit_run(run, CPU)
    plane = embed_run(run, CPU)
    # Without its eyes an audit cannot be done: what comes back was read.
    monkeypatch.setattr(audit, "classifier_judge", None)
    monkeypatch.setattr("dermaug.inspection.planes.classifier_judge", None)
    pd.testing.assert_frame_equal(audit_run(run, CPU), before)
    pd.testing.assert_frame_equal(embed_run(run, CPU), plane, check_dtype=False, atol=1e-3)


def test_another_classifier_makes_the_audit_anew(run: Run, folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(folder, copied)
    control = copied / CONTROL / "classifier.safetensors"
    other = copied / CONTROL.replace("/real/", "/synthetic/") / "classifier.safetensors"
    before = json.loads(JobFolder(copied / GENERATOR).audit.read_text())
    shutil.copy(other, control)
    record = JobFolder(control.parent).record
    write_sealed(record, read_sealed(record) | {"digest": checkpoint_digest(control)})
    audit_run(replace(run, folder=copied), CPU)
    after = json.loads(JobFolder(copied / GENERATOR).audit.read_text())
    assert after["key"] != before["key"]
    assert after["numbers"] != before["numbers"]


def test_planes_hold_test_images_twice_and_synthetic_ones_once(folder: Path) -> None:
    points = read_embedding(folder)
    assert (RunFolder(folder).embedding).exists()
    counts = points.groupby(["plane", "origin"]).size()
    assert counts["without", "real"] == counts["with", "real"] > 0
    assert counts["together", "synthetic"] == 70
    assert np.isfinite(points[["x", "y"]]).all().all()


def test_the_report_tells_what_the_audit_found(run: Run, folder: Path) -> None:
    results = read_results(run)
    numbers, pairs = collect_audits(results)
    section = audit_section(results, numbers, pairs)
    stored = read_audit(folder / GENERATOR)
    assert stored is not None
    pd.testing.assert_frame_equal(numbers, stored.numbers)
    distances, copies = (block for block in section.content if isinstance(block, Table))
    assert distances.rows[0] == copies.rows[0] == ("dcgan",)
    assert f"{stored.numbers['kid'].item():.3f}" in distances.rows[1][2].replace("−", "-")
    assert copies.rows[1][3] == f"{stored.numbers['copies'].item():.0f} of 70"
    pictures = [block for block in section.content if isinstance(block, Figure)]
    assert [figure.name for figure in pictures] == ["nearest_pairs", "embedding"]
    planes = [panel.name for panel in pictures[1].panels]
    assert planes == [f"embedding-{place}" for place in PLANES]
    sentences = [block for block in section.content if isinstance(block, str)]
    assert sentences[0].startswith("dcgan: ")
    assert "the audit uses the other half" in sentences[-1]


def test_control_is_the_arm_without_images_and_like_it_otherwise() -> None:
    arms = [
        {"name": "real"},
        {"name": "classic", "policy": "standard"},
        {"name": "both", "policy": "standard", "synthetic": {"dose": 5}},
    ]
    tree = {"name": "x", "generators": [{"family": "dcgan"}], "arms": arms}
    found = control_of_family(validate_experiment(tree, "x"), "dcgan")
    assert found is not None
    assert found.name == "classic"


def test_command_audits_a_set_of_a_run(run: Run, folder: Path, data: Path, tmp_path: Path) -> None:
    given = folder / GENERATOR / "synthetic"
    words = ("audit", given, "--data", data, "--model", folder / CONTROL, "--output", tmp_path)
    code, output = called(*words, "--device", "cpu")
    assert code == 0, output
    assert "from the validation split of fold 0" in output
    assert "lesions on which the generator's snapshot was selected are left out" in output
    assert "provenance unknown" not in output
    found, stored = pd.read_csv(tmp_path / "audit.csv"), read_audit(folder / GENERATOR)
    assert "NaN" not in output
    for sentence in audit_findings(found.astype({"fid_flag": object}).fillna({"fid_flag": ""})):
        assert sentence in output
    assert stored is not None
    for name in ("kid", "fid", "copy_rate", "visible_share", "validation_images"):
        assert found[name].item() == pytest.approx(stored.numbers[name].item()), name
    assert "Are these images like" in (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert (tmp_path / "figures" / "pairs-0-mel.png").exists()


def test_an_exported_set_is_audited_as_the_run_did_unless_an_image_was_added(
    folder: Path, data: Path, tmp_path: Path
) -> None:
    """It names its generator, whose training images the run knows, and none of these images."""
    out = tmp_path / "out"
    export_synthetic(folder / GENERATOR / "synthetic", out, "imagefolder")
    told = "".join(path.read_text("utf-8") for path in out.glob("*.*"))
    provenance = read_synthetic_set(folder / GENERATOR / "synthetic").provenance
    assert not any(name in told for name in provenance.training_images)
    stored = only_classifier(folder / CONTROL)
    judge, expected = classifier_judge(stored.path, CPU), read_audit(folder / GENERATOR)
    found = audit_folder(out, data, judge, stored=stored)
    assert UNKNOWN not in found.notes
    assert expected is not None
    number = expected.numbers["copy_examined"].item() - expected.numbers["copies"].item()
    assert found.audit.numbers["copies"].item() == 0
    assert found.audit.numbers["copy_examined"].item() == number
    for name in ("pixel_threshold", "feature_threshold", "copy_expected", "validation_lesions"):
        known = expected.numbers[name].item()
        assert found.audit.numbers[name].item() == pytest.approx(known), name
    Image.new("RGB", (32, 32), "brown").save(out / "images" / "added.png")
    with (out / "metadata.csv").open("a", encoding="utf-8") as table:
        table.write("images/added.png,mel\n")
    assert UNKNOWN in audit_folder(out, data, judge, stored=stored).notes


def test_a_generator_of_fewer_lesions_is_never_judged_by_test_images(
    run: Run, folder: Path
) -> None:
    """The key of a reduced training split is none of the run's; its images still tell the fold."""
    provenance = read_synthetic_set(folder / GENERATOR / "synthetic").provenance
    fewer = replace(provenance, fold_key="reduced", training_images=provenance.training_images[:5])
    fold = _likely_fold(run.folds, fewer, None)
    _, validation, notes = part_images(run.catalog, fewer, None, fold)
    assert set(run.catalog.image_ids[validation]) == set(run.fold(0).validation)
    assert any("validation split of fold 0" in note for note in notes)
    # Of a class with few lesions, no snapshot was selected; its run knows the fold all the same.
    unselected = replace(fewer, validation_images=())
    known = fold_of(RunFolder(folder), unselected, None)
    assert known == run.fold(0)
    _, validation, _ = part_images(run.catalog, unselected, None, known)
    assert set(run.catalog.image_ids[validation]) == set(run.fold(0).validation)


@pytest.mark.parametrize("number", [0, 1])
def test_folds_that_are_not_those_of_the_run_are_refused(
    run: Run, folder: Path, number: int
) -> None:
    provenance = read_synthetic_set(folder / GENERATOR / "synthetic").provenance
    others = tuple(
        replace(each, train=each.validation, validation=each.train) for each in run.folds[:number]
    )
    with pytest.raises(DermaugError, match="expected the folds of this run, found others"):
        _known_fold(RunFolder(folder), others, provenance, None)


def test_other_images_under_the_names_of_the_training_are_refused(
    run: Run, folder: Path, data: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(data, tmp_path / "other")
    for name in run.fold(0).train[:3]:
        Image.new("RGB", (32, 32), "brown").save(next(other.rglob(f"{name}.jpg")))
    given = folder / GENERATOR / "synthetic"
    words = ("audit", given, "--data", other, "--model", folder / CONTROL, "--device", "cpu")
    code, output = called(*words)
    assert code == 2
    assert "images have the name of one of its images but different content" in " ".join(
        output.split()
    )
    # By itself, a set knows its training images by their names only, and says so.
    alone = shutil.copytree(given, tmp_path / "alone")
    judge = classifier_judge(folder / CONTROL / "classifier.safetensors", CPU)
    notes = audit_folder(alone, other, judge).notes
    assert BY_NAME in notes


def test_strangers_images_are_audited_with_a_warning_and_copies_are_found(
    run: Run, folder: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "mel").mkdir()
    rows = np.flatnonzero(run.catalog.table["label"] == "mel")[:30]
    for row in rows:
        Image.fromarray(run.images[row][:, ::-1]).save(tmp_path / "mel" / f"{row}.png")
    words = ("audit", tmp_path, "--data", data, "--model", folder / CONTROL, "--device", "cpu")
    code, output = called(*words, "--json")
    assert code == 0, output
    found = json.loads(output[output.index("{") :])
    assert "provenance unknown: leakage not excluded" in found["notes"]
    assert found["numbers"][0]["copy_rate"] == 1.0
    copied = {pair["training_image"] for pair in found["pairs"]}
    assert copied <= set(run.catalog.image_ids[rows])
    named = ("--image-column", "image_id", "--label-column", "dx", "--lesion-column", "lesion_id")
    again = called(*words, *named, "--json")[1]
    assert json.loads(again[again.index("{") :])["numbers"] == found["numbers"]
    assert "'befund' among" in called(*words, "--label-column", "befund")[1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "exactly one of --model, --backbone and --inception"),
        (["--model", "x", "--inception"], "exactly one of --model, --backbone and --inception"),
        (["--model", "nowhere"], "expected a classifier"),
        (["--backbone", "resnet1888"], "unknown model 'resnet1888'"),
        (["--backbone", "resnet18", "--option", "pad"], "expected KEY=VALUE"),
        (["--backbone", "resnet18", "--weights", "none.pth"], "no weight file at none.pth"),
        (["--model", "x", "--weights", "y"], "--weights: expected --backbone, whose network it"),
        (
            ["--inception", "--layer", "y"],
            "--layer: expected --backbone, whose network it",
        ),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_wrong_options_are_told(data: Path, options: list[str], expected: str) -> None:
    code, output = called("audit", "somewhere", "--data", data, *options)
    assert code == 2
    assert expected in " ".join(output.split())


def test_options_that_contradict_the_set_or_the_network_are_refused(
    folder: Path, data: Path
) -> None:
    words = ("audit", folder / GENERATOR / "synthetic", "--data", data, "--model", folder / CONTROL)
    for option in (("--label", "no class"), ("--size", "48")):
        code, output = called(*words, *option)
        assert code == 2
        assert f"{option[0]} {option[1]}"[:6] in output


def test_labels_that_the_data_lack_are_named(
    run: Run, folder: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "wart").mkdir()
    (tmp_path / "mel").mkdir()
    for name in ("wart/1.png", "mel/2.png"):
        Image.fromarray(run.images[0]).save(tmp_path / name)
    words = ("audit", tmp_path, "--data", data, "--model", folder / CONTROL)
    code, output = called(*words)
    assert code == 2
    assert "found none of wart" in " ".join(output.split())


def test_several_sets_are_ranked_on_one_page_with_every_image(
    run: Run, folder: Path, data: Path, tmp_path: Path
) -> None:
    flat = tmp_path / "drawn elsewhere"
    flat.mkdir()
    table = run.catalog.table
    for path in map(Path, table["path"][table["label"] == "mel"][:6]):
        with Image.open(path) as image:
            image.save(flat / f"{path.stem}.png")
    words = ("audit", folder / GENERATOR / "synthetic", flat, "--label", "mel", "--data", data)
    options = ("--model", folder / CONTROL, "--device", "cpu", "--output", tmp_path / "out")
    code, output = called(*words, *options)
    assert code == 0, output
    ranking = pd.read_csv(tmp_path / "out" / "ranking.csv")
    assert sorted(ranking["set"]) == ["drawn elsewhere", "synthetic"]
    assert ranking["kid"].is_monotonic_increasing
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    assert "2 sets of synthetic images" in page
    single = pd.read_csv(tmp_path / "out" / "drawn elsewhere" / "instances.csv")
    assert list(single.columns) == list(INSTANCES)
    assert sorted(single["image"]) == sorted(path.name for path in flat.iterdir())
    copied = single[single["nearest_real"] == single["image"].str.removesuffix(".png")]
    assert (copied["copy_score"] < 1.0).all()
    assert not copied["kept"].any()
    assert single["class_probability"].between(0.0, 1.0).all()


def test_realism_is_high_inside_the_real_images_and_falls_outside() -> None:
    reference = np.random.default_rng(0).normal(size=(60, 2))
    found = realism(reference, np.array([reference.mean(0), [9.0, 9.0], [90.0, 90.0]]))
    assert found[0] > 1.0 > found[1] > found[2] > 0.0
