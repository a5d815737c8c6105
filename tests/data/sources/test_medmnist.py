"""DermaMNIST's npz file: its splits, its codes, and files that are something else."""

from pathlib import Path

import numpy as np
import pytest

from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import draw_class
from dermaug.errors import DermaugError


def arrays(numbers: tuple[int, int, int] = (5, 1, 2)) -> dict[str, np.ndarray]:
    """Phantoms under DermaMNIST's names, melanoma (4) and nevi (5) in turn."""
    found = {}
    for seed, (split, number) in enumerate(zip(("train", "val", "test"), numbers, strict=True)):
        found[f"{split}_images"] = draw_class("nv", number, seed, 28).images
        found[f"{split}_labels"] = (4 + np.arange(number) % 2).astype(np.uint8)[:, None]
    return found


def test_splits_are_pooled_and_codes_are_labels(tmp_path: Path) -> None:
    stored = arrays()
    np.savez(tmp_path / "dermamnist.npz", **stored)
    catalog = open_catalog(tmp_path)
    assert (catalog.name, catalog.classes, catalog.grouped) == ("DermaMNIST", ("mel", "nv"), False)
    assert catalog.table["label"].tolist() == ["mel", "nv", "mel", "nv", "mel", "mel", "mel", "nv"]
    assert catalog.image_ids.tolist()[4:7] == ["train_00004", "val_00000", "test_00000"]
    assert catalog.embedded is not None
    assert np.array_equal(catalog.embedded[6:], stored["test_images"])
    assert catalog.notes[1].endswith("train (5 images), val (1 images), test (2 images).")
    assert open_catalog(tmp_path / "dermamnist.npz").table.equals(catalog.table)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"val_labels": np.array([[7]])}, r"expected val_images .* int64 \(1,\), 7;"),
        ({"test_images": np.zeros((2, 28, 28), np.uint8)}, "is it another MedMNIST data set"),
        ({"test_labels": np.array([["4"], ["5"]])}, "expected test_images"),
        ({"test_labels": np.array([4, None])}, "Object arrays cannot be loaded"),
    ],
)
def test_other_arrays_are_refused(
    tmp_path: Path, changed: dict[str, np.ndarray], told: str
) -> None:
    np.savez(tmp_path / "dermamnist_64.npz", **(arrays() | changed))
    with pytest.raises(DermaugError, match=told):
        open_catalog(tmp_path)


def test_a_broken_file_and_two_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dermamnist.npz").write_bytes(b"no archive")
    with pytest.raises(DermaugError, match="found another kind; download it again"):
        open_catalog(tmp_path)
    (tmp_path / "dermamnist_224.npz").write_bytes(b"no archive")
    with pytest.raises(DermaugError, match="expected one dermamnist"):
        open_catalog(tmp_path)
