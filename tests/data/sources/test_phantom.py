"""Phantoms: repeatable, laid out as HAM10000, grouped, and neither trivial nor hopeless to tell."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score

from dermaug.config import PhantomConfig
from dermaug.data.sources.phantom import Phantoms, draw_class, draw_phantoms, write_phantoms
from dermaug.data.sources.phantom_traits import LABELS, draw_patients
from dermaug.errors import DermaugError
from dermaug.files import sha256

KAGGLE_COLUMNS = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]


@pytest.fixture(scope="module")
def natural() -> Phantoms:
    return draw_phantoms(500, seed=3, size=32)


def test_same_seed_same_bytes_other_seed_other_lesions() -> None:
    # More than one chunk at 64 px, so that threads would show in the result if they could.
    first, second = (draw_phantoms(150, seed=5) for _ in range(2))
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.masks, second.masks)
    assert first.table.equals(second.table)
    assert not np.array_equal(first.images, draw_phantoms(150, seed=6).images)


def test_lesions_do_not_depend_on_the_size() -> None:
    small, large = (draw_phantoms(21, seed=1, size=size, balanced=True) for size in (32, 128))
    assert small.table.equals(large.table)
    shrunk = large.images.reshape(21, 32, 4, 32, 4, 3).mean(axis=(2, 4))
    correlations = [
        np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(small.images, shrunk, strict=True)
    ]
    assert np.median(correlations) > 0.9


def test_table_is_that_of_ham10000(natural: Phantoms) -> None:
    table = natural.table
    assert list(table.columns) == KAGGLE_COLUMNS
    assert natural.images.shape == (500, 32, 32, 3)
    assert natural.images.dtype == np.uint8
    assert natural.masks.shape == (500, 32, 32)
    assert table["image_id"].is_unique
    assert table["image_id"].str.fullmatch(r"ISIC_9\d{10}").all()
    assert table["sex"].isin(["female", "male", "unknown"]).all()
    assert table["dx_type"].isin(["histo", "follow_up", "consensus", "confocal"]).all()
    known = table["age"][table["age"] != ""].astype(float)
    assert known.between(0, 85).all()
    years = known.groupby(table["dx"]).mean()
    assert years["bcc"] > years["nv"] + 8


def test_images_of_a_lesion_share_patient_and_class(natural: Phantoms) -> None:
    lesions = natural.table.groupby("lesion_id")
    for column in ("dx", "dx_type", "age", "sex", "localization"):
        assert (lesions[column].nunique() == 1).all()
    images_per_lesion = len(natural.table) / lesions.ngroups
    assert images_per_lesion == pytest.approx(10_015 / 7_470, abs=0.12)


def test_prevalences_are_those_of_ham10000_with_enough_rare_lesions(natural: Phantoms) -> None:
    counts = natural.table["dx"].value_counts()
    assert counts["nv"] / 500 == pytest.approx(6705 / 10_015, abs=0.02)
    assert counts["mel"] == round(500 * 1113 / 10_015)
    assert set(draw_phantoms(70, 0, size=16, balanced=True).table["dx"].value_counts()) == {10}
    for number in (42, 100):
        table = draw_phantoms(number, seed=2, size=16).table
        assert len(table) == number
        assert (table.groupby("dx")["lesion_id"].nunique().reindex(LABELS) >= 6).all()


def test_ages_are_missing_now_and_then() -> None:
    naevi = np.full(4_000, LABELS.index("nv"))
    ages = draw_patients(naevi, np.random.default_rng(0))["age"]
    assert 5 < (ages == "").sum() < 80  # 0.7 % in HAM10000


def test_views_of_a_lesion_differ_but_resemble_each_other(natural: Phantoms) -> None:
    images, masks = natural.images.astype(float), natural.masks
    colour = np.array([image[mask].mean(axis=0) for image, mask in zip(images, masks, strict=True)])
    rows = natural.table.index.to_series().groupby(natural.table["lesion_id"])
    pairs = np.array([group.to_numpy()[:2] for _, group in rows if len(group) > 1])
    assert len(pairs) > 40
    assert (np.abs(images[pairs[:, 0]] - images[pairs[:, 1]]).mean(axis=(1, 2, 3)) > 2).all()
    labels = natural.table["dx"].to_numpy()
    naevi = pairs[labels[pairs[:, 0]] == "nv"]
    strangers = np.roll(naevi[:, 1], 1)
    together = np.linalg.norm(colour[naevi[:, 0]] - colour[naevi[:, 1]], axis=1)
    apart = np.linalg.norm(colour[naevi[:, 0]] - colour[strangers], axis=1)
    assert np.median(together) < 0.7 * np.median(apart)


def test_masks_cover_a_darker_lesion_inside_the_picture(natural: Phantoms) -> None:
    grey = natural.images.mean(axis=-1)
    areas = natural.masks.mean(axis=(1, 2))
    assert (areas > 0.01).all()
    assert (areas < 0.95).all()
    middle = np.hypot(*np.meshgrid(*2 * [np.linspace(-1, 1, 32)])) < 0.95  # without a black rim
    inside = np.array([g[m & middle].mean() for g, m in zip(grey, natural.masks, strict=True)])
    outside = np.array([g[~m & middle].mean() for g, m in zip(grey, natural.masks, strict=True)])
    assert (inside < outside).mean() > 0.95
    assert np.median(outside - inside) > 15


def test_classes_can_be_told_but_not_easily() -> None:
    train, test = (draw_phantoms(490, seed, size=16, balanced=True) for seed in (20, 21))
    forest = RandomForestClassifier(100, n_jobs=1, random_state=0)
    forest.fit(_features(train), train.table["dx"])
    accuracy = balanced_accuracy_score(test.table["dx"], forest.predict(_features(test)))
    assert 0.35 < accuracy < 0.95


def test_fresh_draws_of_a_class_share_its_looks_but_no_image() -> None:
    known = draw_phantoms(350, seed=4, size=16, balanced=True)
    fresh = {label: draw_class(label, 20, seed=4, size=16) for label in LABELS}
    forest = RandomForestClassifier(100, n_jobs=1, random_state=0)
    forest.fit(_features(known), known.table["dx"])
    found = {label: forest.predict(_features(drawn)) for label, drawn in fresh.items()}
    recalls = [(found[label] == label).mean() for label in LABELS]
    assert np.mean(recalls) > 0.35
    assert all((drawn.table["dx"] == label).all() for label, drawn in fresh.items())
    seen = {image.tobytes() for image in known.images}
    again = draw_class("mel", 20, seed=5, size=16).images
    assert seen.isdisjoint(image.tobytes() for drawn in fresh.values() for image in drawn.images)
    assert {image.tobytes() for image in fresh["mel"].images}.isdisjoint(map(bytes, again))


def test_folder_has_the_kaggle_layout(tmp_path: Path) -> None:
    folder = write_phantoms(tmp_path / "phantoms", PhantomConfig(number=61, seed=7), size=48)
    table = pd.read_csv(folder / "HAM10000_metadata.csv", dtype=str, keep_default_na=False)
    drawn = draw_phantoms(61, seed=7, size=48)
    assert table.equals(drawn.table.astype(table.dtypes.to_dict()))
    parts = [sorted((folder / f"HAM10000_images_part_{part}").iterdir()) for part in (1, 2)]
    assert [len(part) for part in parts] == [31, 30]
    assert {path.stem for part in parts for path in part} == set(table["image_id"])
    masks = folder / "HAM10000_segmentations_lesion_tschandl"
    assert len(list(masks.iterdir())) == 61
    for path, image, mask in zip(parts[0] + parts[1], drawn.images, drawn.masks, strict=True):
        with (
            Image.open(path) as picture,
            Image.open(masks / f"{path.stem}_segmentation.png") as png,
        ):
            assert np.abs(np.asarray(picture, float) - image).mean() < 6
            assert np.array_equal(np.asarray(png) > 128, mask)


def test_folder_is_repeatable_and_never_overwritten(tmp_path: Path) -> None:
    config = PhantomConfig(number=20, seed=1, balanced=True)
    (tmp_path / "second").mkdir()  # an empty one may be used
    first, second = (write_phantoms(tmp_path / name, config, 32) for name in ("first", "second"))
    files = [sorted(path for path in folder.rglob("*.*")) for folder in (first, second)]
    assert [sha256(path) for path in files[0]] == [sha256(path) for path in files[1]]
    with pytest.raises(DermaugError, match="new or empty folder"):
        write_phantoms(first, config, 32)
    assert sorted(path for path in first.rglob("*.*")) == files[0]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: draw_phantoms(0, 0), "at least one"),
        (lambda: draw_phantoms(10, 0, size=8), "at least 16"),
        (lambda: draw_class("wart", 10, 0), "wart"),
        (lambda: draw_class("nv", -1, 0), "at least one"),
    ],
)
def test_impossible_requests_are_explained(draw: object, message: str) -> None:
    assert callable(draw)
    with pytest.raises(DermaugError, match=message):
        draw()


def _features(phantoms: Phantoms) -> np.ndarray:
    """Mean and spread of each colour inside and outside the mask, and coarse pixels."""
    pixels, inside = phantoms.images / 255.0, phantoms.masks[..., None]
    rows = [pixels.reshape(len(pixels), 4, 4, 4, 4, 3).mean(axis=(2, 4)).reshape(len(pixels), -1)]
    for region in (inside, ~inside):
        weight = np.maximum(region.sum(axis=(1, 2)), 1)
        mean = (pixels * region).sum(axis=(1, 2)) / weight
        square = (np.square(pixels) * region).sum(axis=(1, 2)) / weight
        rows += [mean, np.sqrt(np.maximum(square - np.square(mean), 0.0))]
    rows.append(inside.mean(axis=(1, 2)))
    return np.concatenate(rows, axis=1)
