"""Phantom lesions: dermoscopy-like drawings of seven classes, laid out as HAM10000 is on Kaggle.

Their true distribution is known and can be drawn from without end: what no generator can beat.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, UInt8
from PIL import Image

from dermaug.aside import folder_written_aside
from dermaug.config import PhantomConfig
from dermaug.data.sources.phantom_camera import Views, draw_views, lesion_frame, photograph
from dermaug.data.sources.phantom_drawing import LesionDrawing, NoiseAtlas
from dermaug.data.sources.phantom_traits import LABELS, TRAITS, Lesions, draw_lesions, draw_patients
from dermaug.errors import DermaugError
from dermaug.output_places import require_new_folder
from dermaug.seeding import derive_seed

COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
# HAM10000's images of each class in the order of LABELS, and its lesions with 1, 2, ... 6 images.
PREVALENCES = np.array([327, 514, 1099, 115, 1113, 6705, 142]) / 10_015
GROUP_SIZES = np.array([5514, 1423, 490, 34, 5, 4]) / 7470
FEWEST_LESIONS = 6
# Structures are a few pixels wide at 64 px: smaller pictures are averaged from ones that size.
SMALLEST_DRAWING = 64
CHUNK_PIXELS = 1 << 19
DRAWING_VERSION = 1
"""Goes up whenever the same seed gives other pictures or ids."""


@dataclass(frozen=True, eq=False)
class Phantoms:
    """Drawn images with what HAM10000 tells of its own.

    Args:
        images: One a row, square.
        table: HAM10000's columns, all text; an unknown age is empty.
        masks: Where the lesion is.
    """

    images: UInt8[np.ndarray, "n size size 3"]
    table: pd.DataFrame
    masks: Bool[np.ndarray, "n size size"]


@dataclass(frozen=True)
class _Plan:
    """All that is random but the sensor's noise, small beside the pictures."""

    table: pd.DataFrame
    lesions: Lesions  # one per lesion
    lesion_of: Int[np.ndarray, " n"]  # row of `lesions` for each image
    views: Views  # one per image
    atlas: NoiseAtlas
    seed: int


def draw_phantoms(number: int, seed: int, *, size: int = 64, balanced: bool = False) -> Phantoms:
    """Draw phantom lesions of all seven classes.

    Args:
        number: Images; at least 7 to have every class.
        seed: The same one draws the same bytes; another one draws other lesions.
        size: Side of the images in pixels, at least 16. The lesions don't depend on it.
        balanced: Equal classes instead of HAM10000's prevalences.

    Raises:
        DermaugError: `number` or `size` is too small.

    Example:
        >>> phantoms = draw_phantoms(14, seed=0, size=32, balanced=True)
        >>> phantoms.images.shape, phantoms.table["dx"].nunique()
        ((14, 32, 32, 3), 7)
    """
    return _draw(_plan_set(number, seed, balanced), size)


def draw_class(label: str, number: int, seed: int, size: int = 64) -> Phantoms:
    """Draw lesions of one class from the distribution of `draw_phantoms`, never the same ones.

    Args:
        label: One of `LABELS`.
        number: Images.
        seed: Another one draws other lesions; no seed repeats a lesion of `draw_phantoms`.
        size: Side of the images in pixels, at least 16.

    Raises:
        DermaugError: `label` is unknown, or `number` or `size` is too small.
    """
    if label not in LABELS:
        raise DermaugError(f"unknown phantom class {label!r}; expected one of {', '.join(LABELS)}")
    counts = np.where(np.array(LABELS) == label, number, 0)
    return _draw(_plan(counts, derive_seed("phantom", label, seed)), size)


def write_phantoms(folder: Path, config: PhantomConfig, size: int) -> Path:
    """Draw phantoms into a new folder laid out as HAM10000 is on Kaggle, with segmentations.

    Args:
        folder: Appears whole or not at all.
        config: How many, which seed, balanced or not.
        size: Side of the images in pixels, at least 16.

    Returns:
        `folder`.

    Raises:
        DermaugError: `folder` holds something, cannot be written, or `size` is too small.
    """
    require_new_folder(folder)
    plan = _plan_set(config.number, config.seed, config.balanced)
    half = -(-len(plan.table) // 2)
    with folder_written_aside(folder) as aside:
        folders = [aside / f"HAM10000_images_part_{part}" for part in (1, 2)]
        outlines = aside / "HAM10000_segmentations_lesion_tschandl"
        for new in (*folders, outlines):
            new.mkdir()
        plan.table.to_csv(aside / "HAM10000_metadata.csv", index=False, lineterminator="\n")

        def save(rows: np.ndarray, images: np.ndarray, masks: np.ndarray) -> None:
            for row, image, mask in zip(rows, images, masks, strict=True):
                name = plan.table["image_id"].iat[row]
                picture = folders[int(row >= half)] / f"{name}.jpg"
                # At these sizes halved colour resolution would wash out vessels and globules.
                Image.fromarray(image).save(picture, quality=92, subsampling=0)
                outline = Image.fromarray(mask.astype(np.uint8) * 255)
                outline.save(outlines / f"{name}_segmentation.png")

        _draw_chunks(plan, size, save)
    return folder


def _plan_set(number: int, seed: int, balanced: bool) -> _Plan:
    counts = _class_counts(number, np.full(7, 1 / 7) if balanced else PREVALENCES)
    return _plan(counts, derive_seed("phantom", "set", seed))


def _plan(counts: Int[np.ndarray, " c"], seed: int) -> _Plan:
    if counts.sum() < 1:
        raise DermaugError(
            f"expected at least one phantom, found {counts.sum()}; increase the number"
        )
    random = np.random.default_rng(seed)
    groups = [_group_sizes(int(count), random) for count in counts]
    classes = np.repeat(np.arange(len(LABELS)), [len(sizes) for sizes in groups])
    order = random.permutation(len(classes))  # lesion ids must not tell the class
    lesion_of = np.repeat(np.argsort(order), np.concatenate(groups))
    lesion_of = random.permutation(lesion_of)
    lesions, patients = draw_lesions(classes[order], random), draw_patients(classes[order], random)
    table = patients.iloc[lesion_of].reset_index(drop=True)
    # Other phantoms have other ids, so that nobody takes them for the same lesions.
    batch = 90_000 + derive_seed("ids", seed, *counts.tolist()) % 10_000
    table["lesion_id"] = [f"HAM_{batch}{lesion:06d}" for lesion in lesion_of]
    table["image_id"] = [f"ISIC_{batch}{image:06d}" for image in range(len(table))]
    radius = np.exp(lesions.traits[lesion_of, list(TRAITS).index("log_radius")])
    views, atlas = draw_views(radius, lesions.light[lesion_of], random), NoiseAtlas(random)
    return _Plan(table[list(COLUMNS)], lesions, lesion_of, views, atlas, seed)


def _class_counts(number: int, shares: np.ndarray) -> Int[np.ndarray, " c"]:
    """Images of each class: as the shares say, but enough of each for folds where there's room."""
    counts = np.maximum(
        np.round(number * shares).astype(np.int64), min(FEWEST_LESIONS, number // 7)
    )
    while excess := int(counts.sum()) - number:
        if excess > 0:
            counts[counts.argmax()] -= 1
        else:
            counts[counts.argmin()] += 1
    return counts


def _group_sizes(images: int, random: np.random.Generator) -> Int[np.ndarray, " lesions"]:
    """Images of each lesion, summing to `images`."""
    largest = min(max(1, images // FEWEST_LESIONS), len(GROUP_SIZES))
    shares = GROUP_SIZES[:largest] / GROUP_SIZES[:largest].sum()
    sizes = random.choice(np.arange(1, largest + 1), images, p=shares)
    before = np.cumsum(sizes) - sizes
    fitting: Int[np.ndarray, " lesions"] = np.minimum(sizes, images - before)[before < images]
    return fitting


def _draw(plan: _Plan, size: int) -> Phantoms:
    images = np.empty((len(plan.table), size, size, 3), np.uint8)
    masks = np.empty((len(plan.table), size, size), np.bool_)

    def keep(rows: np.ndarray, drawn: np.ndarray, outlines: np.ndarray) -> None:
        images[rows], masks[rows] = drawn, outlines

    _draw_chunks(plan, size, keep)
    return Phantoms(images, plan.table, masks)


def _draw_chunks(
    plan: _Plan, size: int, keep: Callable[[np.ndarray, np.ndarray, np.ndarray], None]
) -> None:
    """Draw chunk after chunk in threads and hand each to `keep` as rows, images and masks."""
    if size < 16:
        raise DermaugError(f"expected phantoms of at least 16 px, found {size}; increase the size")
    drawing_size = size * -(-SMALLEST_DRAWING // size)
    step = max(1, CHUNK_PIXELS // drawing_size**2)
    chunks = np.split(np.arange(len(plan.table)), range(step, len(plan.table), step))
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        for _ in pool.map(
            lambda rows: keep(rows, *_draw_rows(plan, rows, size, drawing_size)), chunks
        ):
            pass


def _draw_rows(
    plan: _Plan, rows: Int[np.ndarray, " m"], size: int, drawing_size: int
) -> tuple[UInt8[np.ndarray, "m s s 3"], Bool[np.ndarray, "m s s"]]:
    views, lesions = plan.views.take(rows), plan.lesions.take(plan.lesion_of[rows])
    frame = lesion_frame(views, drawing_size)
    reflectance, mask = LesionDrawing(plan.atlas, lesions, *frame).draw()
    images = photograph(reflectance, views, np.random.default_rng((plan.seed, int(rows[0]))))
    factor = drawing_size // size
    if factor == 1:
        return images, mask
    blocks = (len(rows), size, factor, size, factor)
    small = images.reshape(*blocks, 3).mean(axis=(2, 4), dtype=np.float32)
    return np.rint(small).astype(np.uint8), mask.reshape(blocks).mean(axis=(2, 4)) >= 0.5
