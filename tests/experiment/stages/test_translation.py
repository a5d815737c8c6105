"""A small study of images drawn from training images: where they start, what is stored and told."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from begun import open_run

from dermaug.config.translation import Translation
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import do_jobs, run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.artefacts import drawn_set
from dermaug.experiment.run.identity import read_run_experiment
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.records import GeneratorRecord, RunRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.training_set import training_set
from dermaug.experiment_file import validate_experiment
from dermaug.export.audited import audited_by_run
from dermaug.files import content_digest, read_sealed, write_sealed
from dermaug.generators import FAMILIES, build_family
from dermaug.generators.saved_generator import load_generator
from dermaug.inspection.audit_run import read_audit
from dermaug.inspection.planes import audit_images
from dermaug.report.page import render_report
from dermaug.report.sections.copies import unaudited
from dermaug.scoring.scoring import score
from dermaug.synthesis.synthetic_set import SyntheticSet, read_synthetic_set
from dermaug.synthesis.translation import starting_rows, translate_batches

CPU = torch.device("cpu")
LATE, EARLY = 0.98, 0.001
FROM_NV = Translation(start=LATE, start_class="nv")
OWN = Translation(start=LATE)
SOON = Translation(start=EARLY)
GENERATOR = "generators/flow/fold0-seed0/all"


def arm(name: str, **dose: object) -> dict[str, object]:
    synthetic = {"family": "flow", "max_per_real": 0.0} | dose
    return {"name": name, "synthetic": synthetic, "replay": False}


TREE: dict[str, object] = {
    "name": "translated",
    "data": {
        "size": 32,
        "classes": ["bcc", "mel", "nv"],
        "phantom": {"number": 240, "balanced": True},
    },
    "splits": {"folds": 3, "run": [0], "validation": 0.4},
    "classifiers": [{"images": 64, "batch": 32, "validations": 1}],
    "generators": [
        {
            "family": "flow",
            "images": 64,
            "batch": 16,
            "width": 8,
            "examined": 0,
            "options": {"steps": 2},
        }
    ],
    "arms": [
        {"name": "real"},
        arm("noise", dose={"mel": 20}),
        arm("from-nv", dose={"bcc": 5, "mel": 70}, start=LATE, start_class="nv"),
        arm("own", dose={"mel": 20}, start=LATE),
        arm("soon", dose={"mel": 20}, start=EARLY),
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("translated") / "run"
    run = run_experiment(made, validate_experiment(TREE, "test"), Launch("cpu"))
    audit_images(run, "cpu")
    return made


@pytest.fixture
def run(folder: Path) -> Run:
    return open_run(folder, read_run_experiment(folder))


def drawn(run: Run, how: Translation | None) -> SyntheticSet:
    return drawn_set(run.job(GENERATOR), how)


def of_class(synthetic: SyntheticSet, label: str) -> np.ndarray:
    return np.asarray(synthetic.images[np.asarray(synthetic.labels) == label]).astype(float)


def training_rows(run: Run, label: str) -> np.ndarray:
    train = run.catalog.rows(run.fold(0).train)
    return train[run.catalog.table["label"].to_numpy()[train] == label]


def test_each_way_of_drawing_is_a_sealed_set_of_one_training(run: Run) -> None:
    record = GeneratorRecord.read(run.job(GENERATOR).record)
    assert record.sets == (None, FROM_NV, OWN, SOON)
    assert len(run.jobs.generators) == 1
    found = {how: drawn(run, how) for how in record.sets}
    counts = {how: (one.labels.count("bcc"), one.labels.count("mel")) for how, one in found.items()}
    assert counts == {None: (64, 64), FROM_NV: (64, 70), OWN: (0, 64), SOON: (0, 64)}
    assert found[None].labels.count("nv") == 64
    assert {"nv"}.isdisjoint(found[FROM_NV].labels)
    assert "training images of nv, from time 0.98" in found[FROM_NV].provenance.note
    assert {one.provenance.generator for one in found.values()} == {record.digest}


@pytest.mark.parametrize(("how", "origin"), [(FROM_NV, "nv"), (OWN, "mel")])
def test_images_start_from_training_images_of_the_class_that_was_asked(
    run: Run, how: Translation, origin: str
) -> None:
    rows, images = training_rows(run, origin), of_class(drawn(run, how), "mel")
    seed = drawn(run, how).provenance.seed
    real = run.images[rows[starting_rows(len(rows), len(images), "mel", seed)]].astype(float)
    apart = np.abs(images - real).mean(axis=(1, 2, 3))
    others = np.abs(images - np.roll(real, 1, axis=0)).mean(axis=(1, 2, 3))
    assert apart.max() < 8.0
    assert (apart < others).mean() > 0.95
    used = set(drawn(run, how).provenance.started_from)
    labels = run.catalog.table.set_index("image_id")["label"]
    assert set(labels.loc[list(used)]) == {origin}
    assert used == set(run.catalog.image_ids[rows])  # 64 images: each of them at least once


def test_no_validation_or_test_image_starts_any(run: Run) -> None:
    fold = run.fold(0)
    for how in (FROM_NV, OWN, SOON):
        used = set(drawn(run, how).provenance.started_from)
        assert used <= set(fold.train)
        assert used.isdisjoint({*fold.validation, *fold.test})


def test_near_noise_images_are_those_of_the_same_noise(run: Run) -> None:
    plain, soon = (of_class(drawn(run, how), "mel") for how in (None, SOON))
    assert np.abs(plain - soon).mean() < 2.0
    assert np.abs(plain - of_class(drawn(run, OWN), "mel")).mean() > 10.0


def test_smaller_sets_begin_larger_ones_and_each_class_has_an_order_of_its_own() -> None:
    many = starting_rows(10, 25, "mel", 3)
    assert starting_rows(10, 4, "mel", 3).tolist() == many[:4].tolist()
    assert sorted(many[:10].tolist()) == list(range(10))  # all before any starts again
    assert many.tolist() != starting_rows(10, 25, "bcc", 3).tolist()


def test_images_of_a_smaller_set_are_those_of_a_larger_one(run: Run) -> None:
    sampler, spec = load_generator(run.job(GENERATOR).generator, CPU)
    whole = drawn(run, FROM_NV)
    rows = training_rows(run, "nv")
    seed = whole.provenance.seed
    images = run.images[rows[starting_rows(len(rows), 300, "mel", seed)]]
    label = spec.classes.index("mel")
    parts = list(translate_batches(sampler, label, images, LATE, seed))
    assert [len(part) for part in parts] == [256, 44]
    larger = np.concatenate(parts).astype(int)
    assert np.abs(larger[:70] - of_class(whole, "mel").astype(int)).max() <= 1


def test_the_same_seed_draws_the_same_sets_again(run: Run, tmp_path: Path) -> None:
    again = open_run(tmp_path / "again", read_run_experiment(run.folder))
    do_jobs(again, again.jobs.generators, Launch("cpu"))
    for how in (FROM_NV, OWN):
        found = read_synthetic_set(again.job(GENERATOR).synthetic_of(how))
        np.testing.assert_array_equal(found.images, drawn(run, how).images)


@pytest.mark.parametrize(
    ("name", "how"), [("noise", None), ("from-nv", FROM_NV), ("own", OWN), ("soon", SOON)]
)
def test_an_arm_takes_the_set_that_it_asks_for(
    run: Run, name: str, how: Translation | None
) -> None:
    job = next(each for each in run.jobs.classifiers if each.arm == name)
    found = training_set(run, job, CPU)
    mel = run.catalog.classes.index("mel")
    added = found.images[len(run.fold(0).train) :][found.labels[len(run.fold(0).train) :] == mel]
    np.testing.assert_array_equal(added, of_class(drawn(run, how), "mel")[: len(added)])
    assert found.provenance == "fold"


def test_copies_are_searched_among_the_images_from_which_a_set_starts(run: Run) -> None:
    stored = read_audit(run.job(GENERATOR).path, FROM_NV)
    assert stored is not None
    assert stored.numbers["family"].unique().tolist() == ["flow, from nv at 0.98"]
    assert stored.numbers["label"].tolist() == ["bcc", "mel"]
    labels = run.catalog.table.set_index("image_id")["label"]
    copies = stored.pairs[stored.pairs["score"] < 1.0]
    assert (labels.loc[copies["training_image"]] == "nv").mean() > 0.9
    assert stored.numbers["copy_rate"].min() > 0.5  # at 0.98 little but the start is left
    plain = read_audit(run.job(GENERATOR).path)
    assert plain is not None
    assert plain.numbers["family"].unique().tolist() == ["flow"]
    assert plain.numbers["copy_rate"].max() < 0.2


def test_exchanged_sets_and_audits_are_refused(folder: Path, tmp_path: Path) -> None:
    files = RunFolder(shutil.copytree(folder, tmp_path / "run")).job(GENERATOR)
    shutil.copy(files.audit_of(OWN), files.audit_of(SOON))
    with pytest.raises(DermaugError, match="found that of another one"):
        read_audit(files.path, SOON)
    shutil.rmtree(files.synthetic_of(SOON))
    shutil.copytree(files.synthetic_of(OWN), files.synthetic_of(SOON))
    with pytest.raises(DermaugError, match=r"from time 0\.001 .* found images translated .*0\.98"):
        drawn_set(files, SOON)
    shutil.rmtree(files.synthetic)
    shutil.copytree(files.synthetic_of(OWN), files.synthetic)
    with pytest.raises(DermaugError, match="expected images drawn from noise"):
        drawn_set(files, None)


def test_report_names_each_set_and_misses_a_lost_audit(folder: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(folder, tmp_path / "run")
    results = read_results(open_run(copied, read_run_experiment(copied)))
    assert unaudited(results) == []
    page = render_report(results, score(results), tmp_path / "report.html").read_text("utf-8")
    assert "flow, from nv at 0.98" in page
    assert "flow, from their own class at 0.001" in page
    assert "flow translated from nv at 0.98, 5 bcc, 70 mel" in page
    assert "24 translated" in page
    assert "Not audited" not in page
    RunFolder(copied).job(GENERATOR).audit_of(FROM_NV).unlink()
    (told,) = unaudited(results)
    assert "flow of all classes, fold 0, seed 0, from nv at 0.98" in told


def test_the_audit_of_an_exported_set_is_that_of_its_own_way(run: Run) -> None:
    for how in (None, FROM_NV):
        source = run.job(GENERATOR).synthetic_of(how)
        found = audited_by_run(source, drawn(run, how))
        assert found is not None
        assert found.drawn.all()
        assert found.copies.sum() == found.numbers["copies"].sum()


def test_families_say_whether_they_translate() -> None:
    config = validate_experiment(TREE, "test").generators[0]
    for name in ("dcgan", "flow"):
        small = config.model_copy(update={"family": name, "options": {}})
        found = build_family(small, 32, 3).sampler.translates()
        assert FAMILIES[name].translates is found is (name == "flow")


def test_a_run_of_a_time_before_translation_is_resumed(tmp_path: Path) -> None:
    tree = TREE | {"arms": [{"name": "real"}, arm("noise", dose={"mel": 20})]}
    experiment = validate_experiment(tree, "test")
    files = open_run(tmp_path / "run", experiment).files
    stored = read_sealed(files.experiment)
    for each in stored["arms"]:
        if each["synthetic"]:
            assert each["synthetic"].pop("start") is None
            assert each["synthetic"].pop("start_class") == ""
    write_sealed(files.experiment, stored)
    record = RunRecord.read(files.record)
    record.model_copy(update={"experiment": content_digest(stored)}).write(files.record)
    assert "start_class" not in json.dumps(stored)
    assert (
        open_run(tmp_path / "run", experiment).jobs
        == open_run(tmp_path / "run", read_run_experiment(tmp_path / "run")).jobs
    )
