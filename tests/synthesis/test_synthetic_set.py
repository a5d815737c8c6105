import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dermaug.errors import DermaugError
from dermaug.files import read_json, read_sealed, sha256, write_sealed
from dermaug.synthesis.synthetic_set import (
    Provenance,
    SyntheticSet,
    read_synthetic_set,
    refuse_leakage,
    write_synthetic_set,
)

SEEN = ("ISIC_1", "ISIC_2")
PROVENANCE = Provenance("dcgan", "f00d" * 16, 7, "fold-key", SEEN, ("ISIC_7",))


def drawn() -> SyntheticSet:
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    return SyntheticSet(images, ("df", "df", "mel", "mel", "mel"), PROVENANCE)


@pytest.mark.parametrize("layout", ["array", "png"])
def test_set_comes_back_with_its_provenance(tmp_path: Path, layout: str) -> None:
    write_synthetic_set(tmp_path / "set", drawn(), layout)  # type: ignore[arg-type]
    back = read_synthetic_set(tmp_path / "set")
    np.testing.assert_array_equal(back.images, drawn().images)
    assert (back.labels, back.provenance) == (drawn().labels, PROVENANCE)
    for chosen_by in ((), None):
        given = replace(PROVENANCE, validation_images=chosen_by)
        again = tmp_path / str(chosen_by)
        write_synthetic_set(again, replace(drawn(), provenance=given), layout)  # type: ignore[arg-type]
        assert read_synthetic_set(again).provenance == given


def test_metadata_tells_label_latent_and_generator(tmp_path: Path) -> None:
    write_synthetic_set(tmp_path / "set", drawn(), "png")
    table = pd.read_csv(tmp_path / "set/metadata.csv")
    assert table["label"].tolist() == list(drawn().labels)
    assert table["latent"].tolist() == ["7-0", "7-1", "7-0", "7-1", "7-2"]
    assert (table["generator"] == "f00df00df00df00d").all()
    assert all((tmp_path / "set" / name).exists() for name in table["file_name"])


def test_parts_that_do_not_agree_are_refused(tmp_path: Path) -> None:
    write_synthetic_set(tmp_path / "set", drawn())
    changed(tmp_path / "set/manifest.json", number=4)
    with pytest.raises(DermaugError, match="do not agree"):
        read_synthetic_set(tmp_path / "set")
    write_sealed(tmp_path / "set/manifest.json", {"schema": 99})
    with pytest.raises(DermaugError, match="schema: Input should be 2"):
        read_synthetic_set(tmp_path / "set")


def test_set_of_another_fold_is_refused() -> None:
    refuse_leakage(PROVENANCE, "fold-key", [*SEEN, "ISIC_3"], "arm")
    with pytest.raises(
        DermaugError, match="its generator was trained on lesions that this fold tests on"
    ):
        refuse_leakage(PROVENANCE, "other-key", SEEN, "arm")


def test_generator_that_saw_more_than_the_training_part_is_refused() -> None:
    with pytest.raises(
        DermaugError, match=r"was trained on 1 images outside .* for example ISIC_2"
    ):
        refuse_leakage(PROVENANCE, "fold-key", ["ISIC_1"], "arm")


def flip(path: Path) -> None:
    """Turn over one bit, as a worn disk does; the size stays."""
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    date = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(date, date + 1))  # the clock of some disks ticks slowly


def changed(path: Path, **entries: object) -> None:
    """Whoever forges a record forges its digest, too."""
    write_sealed(path, read_sealed(path) | entries)


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("array", "images.npy"),
        ("array", "metadata.csv"),
        ("png", "images/mel_000003.png"),
        ("png", "metadata.csv"),
    ],
)
def test_flipped_bit_is_noticed_even_after_a_first_reading(
    tmp_path: Path, layout: str, name: str
) -> None:
    write_synthetic_set(tmp_path / "set", drawn(), layout)  # type: ignore[arg-type]
    read_synthetic_set(tmp_path / "set")
    flip(tmp_path / "set" / name)
    with pytest.raises(DermaugError, match=f"{name}: its content has changed since it was drawn"):
        read_synthetic_set(tmp_path / "set")


def resealed(folder: Path, name: str) -> None:
    """Whoever forges a file forges its digest, too."""
    digests = read_json(folder / "manifest.json")["sha256"]
    changed(folder / "manifest.json", sha256=digests | {name: sha256(folder / name)})


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("images.npy", cut),
        ("images.npy", lambda path: path.write_bytes(b"")),
        ("images.npy", Path.unlink),
        ("images.npy", lambda path: np.save(path, np.zeros((5, 8, 8, 3), np.uint8))),
        ("images.npy", lambda path: np.save(path, np.zeros((5, 16, 16, 3), np.float32))),
        ("metadata.csv", lambda path: path.write_bytes(b"")),
        ("metadata.csv", Path.unlink),
        ("metadata.csv", lambda path: path.write_text("a,b\n1,2\n")),
        ("manifest.json", lambda path: path.write_text("[]")),
        ("manifest.json", lambda path: path.write_text('{"schema": 1}')),
        ("manifest.json", lambda path: changed(path, training_images="abc")),
        ("manifest.json", lambda path: changed(path, family=["dcgan"])),
        ("manifest.json", lambda path: changed(path, seed="7")),
        ("manifest.json", lambda path: changed(path, layout="other")),
        ("manifest.json", lambda path: changed(path, sha256=None)),
        ("manifest.json", lambda path: changed(path, sha256={})),
    ],
)
def test_damaged_set_is_named(tmp_path: Path, name: str, damage: Callable[[Path], object]) -> None:
    write_synthetic_set(tmp_path / "set", drawn())
    damage(tmp_path / "set" / name)
    with pytest.raises(DermaugError, match=str(tmp_path / "set")):
        read_synthetic_set(tmp_path / "set")


def test_array_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "owned",)

    write_synthetic_set(tmp_path / "set", drawn())
    np.save(tmp_path / "set/images.npy", np.array([Payload()], dtype=object), allow_pickle=True)
    resealed(tmp_path / "set", "images.npy")
    with pytest.raises(DermaugError, match="incomplete synthetic set"):
        read_synthetic_set(tmp_path / "set")
    assert not (tmp_path / "owned").exists()


def test_file_name_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    write_synthetic_set(tmp_path / "set", drawn(), "png")
    (tmp_path / "set/images/df_000000.png").rename(tmp_path / "out.png")
    metadata = tmp_path / "set/metadata.csv"
    metadata.write_text(metadata.read_text().replace("images/df_000000.png", "../out.png"))
    resealed(tmp_path / "set", "metadata.csv")
    with pytest.raises(DermaugError, match="expected a path below"):
        read_synthetic_set(tmp_path / "set")
