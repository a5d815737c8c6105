"""A disk that is really full, at everything that is written: old files stay, the disk is named."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from drawn import drawn_images, reported
from safetensors.torch import save_file
from small_disk import filled, small_disk

from dermaug.data.decoding import Square
from dermaug.data.pixel_cache import PixelCache
from dermaug.data.signature import sign_pixels
from dermaug.disk import FullDiskError
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import probability_column, read_predictions, write_predictions
from dermaug.experiment.run.claims import take
from dermaug.experiment.run.results import RunResults
from dermaug.export.synthetic import export_synthetic
from dermaug.files import read_json, write_json
from dermaug.synthesis.synthetic_set import (
    Provenance,
    SyntheticSet,
    read_synthetic_set,
    write_synthetic_set,
)
from dermaug.training.checkpoint import load_checkpoint, save_checkpoint
from dermaug.training.journal import Journal, read_journal
from dermaug.training.resume import BEFORE, LAST, keep

Write = Callable[[Path, int], object]
NUMBER = 40_000
"""A value whose file takes more than the disk has left, unlike a value of 1."""
YESTERDAY = "<title>The report of yesterday – dermaug report: drawn</title>"


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with small_disk(tmp_path_factory.mktemp("mounts") / "small", 2_000) as folder:
        yield folder


@pytest.fixture
def disk(mounted: Path) -> Path:
    """The disk, empty."""
    for path in sorted(mounted.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return mounted


def checkpoint(folder: Path, number: int) -> None:
    save_checkpoint(folder / "a.safetensors", {"weights": torch.ones(number)})


def predictions(folder: Path, number: int) -> None:
    random, names = np.random.default_rng(0), [f"image{place:x}" for place in range(number)]
    first = random.uniform(size=number)
    table = pd.DataFrame({"image_id": names, "lesion_id": names, "group": names})
    table = table.assign(part="test", label="mel")
    table[probability_column("mel")], table[probability_column("nv")] = first, 1 - first
    write_predictions(folder / "a.parquet", table, ("mel", "nv"))


def record(folder: Path, number: int) -> None:
    write_json(folder / "a.json", list(range(number)))


def pixels(folder: Path, number: int) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (max(1, number // 500), 64, 64, 3), dtype=np.uint8)
    squares = (Square(each, sign_pixels(each), False) for each in images)
    jobs = [(str(place), "", "") for place in range(len(images))]
    PixelCache(folder / f"p{len(images)}", jobs, 64, lambda _: squares).read(lambda _: True)


def synthetic(folder: Path, number: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (max(2, number // 500), 64, 64, 3))
    made = SyntheticSet(
        images.astype(np.uint8), ("mel",) * len(images), Provenance("dcgan", "0" * 64, 7, "key", ())
    )
    write_synthetic_set(folder / "set", made)


def bytes_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("write", [checkpoint, predictions, record, pixels, synthetic])
def test_what_was_there_stays_and_the_disk_is_named(disk: Path, write: Write) -> None:
    write(disk, 1)
    filler = filled(disk, 40_000)
    before = bytes_below(disk)
    with pytest.raises(DermaugError) as caught:
        write(disk, NUMBER)
    assert bytes_below(disk) == before
    assert f"the disk at {disk} is full: " in caught.value.message
    assert "kB were free, and it needs " in caught.value.message
    filler.unlink()
    write(disk, NUMBER)  # the same again goes on


def test_what_is_read_after_a_full_disk_is_whole(disk: Path) -> None:
    for write in (checkpoint, predictions, record, pixels, synthetic):
        write(disk, 1)
        filled(disk)
        with pytest.raises(DermaugError):
            write(disk, NUMBER)
        (disk / "filler").unlink()
    assert load_checkpoint(disk / "a.safetensors")["weights"].tolist() == [1.0]
    assert len(read_predictions(disk / "a.parquet", ("mel", "nv"))) == 1
    assert read_json(disk / "a.json") == [0]
    cache = PixelCache(disk / "p1", [("0", "", "")], 64, lambda _: pytest.fail("decoded again"))
    assert len(np.asarray(cache.read(lambda _: True).images)) == 1
    assert len(read_synthetic_set(disk / "set").labels) == 2


class Weights:
    """A training whose checkpoints grow."""

    seconds = 0.0

    def __init__(self, number: int) -> None:
        self.number = number

    def state_dict(self) -> dict[str, Any]:
        return {"weights": torch.ones(self.number)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.number = len(state["weights"])


def test_both_checkpoints_of_a_training_stay_and_the_need_is_told(disk: Path) -> None:
    keep(disk, Weights(10))
    keep(disk, Weights(20))
    filled(disk)
    with pytest.raises(FullDiskError, match=r"[\d.]+ kB were free, and it needs 4\.0 MB"):
        keep(disk, Weights(1_000_000))
    kept = [len(load_checkpoint(disk / name)["weights"]) for name in (LAST, BEFORE)]
    assert kept == [20, 10]


def test_journal_keeps_its_rows_and_tensorboard_does_not_stop_a_training(
    disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    values = {"loss": 1.0, "rate": 0.5, "other": 2.0}
    journal = Journal(disk)
    journal.write(1, 0.0, values)
    filled(disk)

    def write_on() -> None:  # there is a little room in the last block of each file
        for images in range(2, 1_000):
            journal.write(images, 0.0, values)

    with pytest.raises(FullDiskError, match=r"journal\.jsonl: the disk at"):
        write_on()
    told = capfd.readouterr().err
    assert " ".join(told.split()).count("no more curves for TensorBoard") == 1
    assert "Traceback" not in told
    rows = [row["images"] for row in read_journal(disk / "journal.jsonl")]
    assert rows == list(range(1, len(rows) + 1))
    with pytest.raises(FullDiskError):  # a resume, which drops the rows after its checkpoint
        Journal(disk, len(rows) - 2)
    assert [row["images"] for row in read_journal(disk / "journal.jsonl")] == rows


def test_report_stays(disk: Path, drawn_study: Callable[..., RunResults]) -> None:
    results = drawn_study()
    (disk / "report.html").write_text(YESTERDAY)
    filled(disk, 20_000)
    with pytest.raises(FullDiskError, match=f"the disk at {disk} is full"):
        reported(results, disk / "report.html")
    assert (disk / "report.html").read_text() == YESTERDAY
    assert not list(disk.glob(".partial-*"))


def test_export_leaves_nothing(disk: Path, tmp_path: Path) -> None:
    images = drawn_images(300, 0)
    made = SyntheticSet(images, ("mel",) * 300, Provenance("dcgan", "0" * 64, 7, "key", ()))
    write_synthetic_set(tmp_path / "set", made)
    filled(disk, 20_000)
    with pytest.raises(FullDiskError, match=f"the disk at {disk} is full: .* needs more than that"):
        export_synthetic(tmp_path / "set", disk / "out", "imagefolder")
    assert [path.name for path in disk.iterdir()] == ["filler"]


def test_a_claim_that_cannot_be_written_claims_nothing(disk: Path) -> None:
    filled(disk)
    with pytest.raises(FullDiskError):
        take(disk / "claim.json")
    assert not (disk / "claim.json").exists()


def test_other_errors_pass(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        save_checkpoint(tmp_path / "file" / "a", {"weights": torch.ones(1)})
    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(DermaugError, match="not a dermaug checkpoint"):
        load_checkpoint(tmp_path / "other.safetensors")
