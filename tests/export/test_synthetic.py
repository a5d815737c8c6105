"""Synthetic sets in the layouts of other tools, read back by those tools where they are here."""

import gc
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import drawn_catalog, drawn_generator, drawn_images, drawn_run_record
from PIL import Image

from dermaug.data.sources import open_catalog
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder
from dermaug.export.layouts import LAYOUTS
from dermaug.export.synthetic import export_synthetic
from dermaug.files import write_sealed
from dermaug.inspection.audit_records import AuditPair, AuditRecord, AuditRow
from dermaug.synthesis.origin import read_origin
from dermaug.synthesis.synthetic_set import (
    Provenance,
    SyntheticSet,
    read_synthetic_set,
    write_synthetic_set,
)

NUMBER = 6
LABELS = ("mel", "mel", "mel", "nv", "nv", "nv")
FOLD = Fold(0, ("a",), ("c",), ("d",))
PROVENANCE = Provenance("dcgan", "0" * 64, 7, "fold-key", ("a", "b"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    images = drawn_images(NUMBER, 0)
    write_synthetic_set(tmp_path / "set", SyntheticSet(images, LABELS, PROVENANCE))
    return tmp_path / "set"


@pytest.fixture
def of_run(tmp_path: Path) -> Path:
    """A set in a run, whose audit counted the second melanoma as a copy."""
    run = RunFolder(tmp_path / "run")
    record = drawn_run_record(drawn_catalog(tmp_path, ("mel", "nv"), 3))
    data = record.data.model_copy(update={"name": "HAM10000"})
    key = "generators/dcgan/fold0-seed0/all"
    record.model_copy(update={"data": data, "jobs": (key,)}).write(run.record)
    write_sealed(run.experiment, {})
    job = run.job(key)
    drawn_generator(tmp_path, "all", FOLD).record.write(job.record)
    write_synthetic_set(job.synthetic, SyntheticSet(drawn_images(NUMBER, 0), LABELS, PROVENANCE))
    texts = {"family": "dcgan", "features": "x", "fid_flag": "", "chosen_by_validation": False}
    numbers = dict.fromkeys(AuditRow.model_fields, 1) | texts
    pair = {"synthetic": 1, "training_image": "a", "orientation": 0, "score": 0.5}
    distances = {"pixel_distance": 0.1, "feature_distance": 0.1}
    AuditRecord(
        key="k",
        generator="0" * 64,
        numbers=tuple(AuditRow.model_validate(numbers | {"label": name}) for name in ("mel", "nv")),
        pairs=(AuditPair.model_validate({"label": "mel"} | pair | distances),),
    ).write(job.audit)
    return job.synthetic


def test_a_layout_that_does_not_exist_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(DermaugError, match="--format zip: expected one of imagefolder"):
        export_synthetic(source, tmp_path / "out", "zip")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_a_card_and_croissant_metadata(
    source: Path, tmp_path: Path, layout: str
) -> None:
    remarks = export_synthetic(source, tmp_path / "out", layout)
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: other\n")
    assert "**Not audited.**" in card
    assert "| mel | 3 |" in card
    assert any("no audit" in remark for remark in remarks)
    described = json.loads((tmp_path / "out/croissant.json").read_text(encoding="utf-8"))
    assert (tmp_path / "out" / described["distribution"][0]["contentUrl"]).is_file()
    for files in described["distribution"][1:]:
        assert len(list((tmp_path / "out").glob(files["includes"]))) == NUMBER


@pytest.mark.parametrize("layout", ["imagefolder", "ham10000", "medmnist"])
def test_dermaug_reads_back_what_it_exports(source: Path, tmp_path: Path, layout: str) -> None:
    export_synthetic(source, tmp_path / "out", layout)
    catalog = open_catalog(tmp_path / "out")
    assert sorted(catalog.table["label"]) == sorted(LABELS)
    assert catalog.table["lesion_id"].is_unique


def test_medmnist_and_stylegan_hold_the_pixels_and_codes(source: Path, tmp_path: Path) -> None:
    images = drawn_images(NUMBER, 0)
    export_synthetic(source, tmp_path / "npz", "medmnist")
    with np.load(tmp_path / "npz/dermamnist_synthetic.npz") as stored:
        assert (stored["train_images"] == images).all()
        assert stored["train_labels"].ravel().tolist() == [4, 4, 4, 5, 5, 5]
        assert stored["test_images"].shape == (0, *images.shape[1:])
    export_synthetic(source, tmp_path / "stylegan", "stylegan")
    told = json.loads((tmp_path / "stylegan/dataset.json").read_text())["labels"]
    assert [code for _, code in told] == [4, 4, 4, 5, 5, 5]
    assert (np.asarray(Image.open(tmp_path / "stylegan" / told[2][0])) == images[2]).all()


def test_copies_stay_behind_and_the_licence_follows_the_data(of_run: Path, tmp_path: Path) -> None:
    remarks = export_synthetic(of_run, tmp_path / "out", "imagefolder")
    assert remarks == ["left out, because the audit counted them as copies: 1 image"]
    assert len(list((tmp_path / "out/images").iterdir())) == NUMBER - 1
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "license: cc-by-nc-4.0" in card
    assert "| mel | 2 |" in card
    assert "left out: 1." in card
    assert "Not audited" not in card


def chosen(of_run: Path, rows: list[int], note: str = "chosen by hand") -> Path:
    """Some images of the run's generator, as the app writes them into the run."""
    whole = read_synthetic_set(of_run)
    part = replace(whole.take(np.array(rows)), provenance=replace(whole.provenance, note=note))
    folder = of_run.parents[3] / "app" / f"chosen{len(rows)}"
    write_synthetic_set(folder, part, "png")
    return folder


def test_a_choice_of_images_takes_the_audit_along_and_leaves_its_copies_out(
    of_run: Path, tmp_path: Path
) -> None:
    source = chosen(of_run, [5, 1, 0])
    remarks = export_synthetic(source, tmp_path / "out", "imagefolder")
    assert remarks == ["left out, because the audit counted them as copies: 1 image"]
    origin = read_origin(tmp_path / "out")
    assert origin is not None
    assert origin.latents == tuple(read_synthetic_set(of_run).latents[row] for row in (5, 0))
    images = drawn_images(NUMBER, 0)
    for place, row in enumerate((5, 0)):
        with Image.open(tmp_path / f"out/images/{place:06d}.png") as image:
            assert (np.asarray(image) == images[row]).all()
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "Not audited" not in card
    assert (
        "all 6 images that the generator drew for the run, before any were chosen. 3 of the 3 "
        "images chosen are among those examined for copies, and 1 of these counted as copies."
    ) in card
    assert "| Choice of the images | chosen by hand |" in card
    assert "license: cc-by-nc-4.0" in card
    with pytest.raises(DermaugError, match="each of its images as a copy"):
        export_synthetic(chosen(of_run, [1]), tmp_path / "none", "imagefolder")


def test_other_images_of_an_audited_generator_are_told_as_not_examined(
    of_run: Path, tmp_path: Path
) -> None:
    images = np.concatenate([drawn_images(1, 9), drawn_images(NUMBER, 0)[:1]])
    source = of_run.parents[3] / "drawn"
    write_synthetic_set(source, SyntheticSet(images, ("mel", "mel"), PROVENANCE))
    remarks = export_synthetic(source, tmp_path / "out", "imagefolder")
    assert any("not examined for copies: 1 of 2 images" in remark for remark in remarks)
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "**1 of the 2 images chosen were examined" not in card
    assert "**1 of the 2 images chosen were not examined for copies.**" in card
    other = replace(PROVENANCE, generator="1" * 64)
    write_synthetic_set(source.with_name("other"), SyntheticSet(images, ("mel", "mel"), other))
    export_synthetic(source.with_name("other"), tmp_path / "unknown", "imagefolder")
    assert "**Not audited.**" in (tmp_path / "unknown/README.md").read_text(encoding="utf-8")


def test_what_is_no_set_and_a_folder_in_use_are_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(DermaugError, match=r"expected a synthetic set with manifest\.json"):
        export_synthetic(tmp_path, tmp_path / "out", "imagefolder")
    with pytest.raises(DermaugError, match="new or empty folder"):
        export_synthetic(source, source, "imagefolder")
    with pytest.raises(DermaugError, match="expected a folder outside of the images"):
        export_synthetic(source, source / "inside", "imagefolder")


@pytest.mark.filterwarnings("ignore")  # datasets leaves its files open
def test_hugging_face_opens_the_image_folder(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets", reason="NOT TESTED: no datasets")
    export_synthetic(source, tmp_path / "out", "imagefolder")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    opened = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache")
    )["train"]
    assert opened["label"][:] == list(LABELS)
    gc.collect()
    assert (np.asarray(opened[2]["image"]) == drawn_images(NUMBER, 0)[2]).all()


@pytest.mark.filterwarnings("ignore")  # of mlcroissant's own dependencies
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_croissant_metadata_are_valid(source: Path, tmp_path: Path, layout: str) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="NOT TESTED: no mlcroissant")
    export_synthetic(source, tmp_path / "out", layout)
    dataset = croissant.Dataset(jsonld=tmp_path / "out/croissant.json")
    assert not dataset.metadata.issues.errors
    if layout == "imagefolder":
        rows = list(dataset.records("records"))
        assert [row["records/label"].decode() for row in rows] == list(LABELS)
