"""What the tab with real and generated images shows."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from dermaug.app.opened import Captioned, Listed, Opened, synthetic_set
from dermaug.data.class_names import class_words
from dermaug.evaluation.neighbours import nearest_lesions
from dermaug.experiment.run.results import GeneratorResult
from dermaug.experiment.stages.references import Reference
from dermaug.inspection.audit_run import class_rows, read_audit
from dermaug.report.sections.images import training_images
from dermaug.synthesis.synthetic_set import SyntheticSet

SHOWN = 48
"""Generated images on one sheet."""
NEAREST = 3
PALE = 0.25
"""How much of an excluded image is left."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """Some generated images of a class.

    Args:
        rows: Their rows in the synthetic set.
        images: The images, each with its number, and whether it is a copy and excluded.
        number: Number of sheets.
    """

    rows: tuple[int, ...]
    images: list[Captioned]
    number: int


def real_sheet(opened: Opened, generator: GeneratorResult) -> list[Captioned]:
    """Some training images of a generator, sampled at random as in the report."""
    images, _ = training_images(opened.results, generator)
    return [(image, "real") for image in images]


def generated_sheet(generator: GeneratorResult, place: int, excluded: Collection[int]) -> Sheet:
    """Generated images in the order in which they were drawn, those that are excluded pale.

    `place` counts sheets from 1; the last one is shown instead of later ones.
    """
    synthetic = synthetic_set(generator)
    rows = class_rows(synthetic, generator.label)
    number = max(1, -(-len(rows) // SHOWN))
    start = (min(place, number) - 1) * SHOWN
    shown = tuple(int(row) for row in rows[start : start + SHOWN])
    found = copies(generator, synthetic)
    images = [
        (
            _pale(synthetic.images[row]) if row in excluded else np.asarray(synthetic.images[row]),
            f"{row}{' copy' * (row in found)}{' out' * (row in excluded)}",
        )
        for row in shown
    ]
    return Sheet(shown, images, number)


def copies(generator: GeneratorResult, synthetic: SyntheticSet) -> frozenset[int]:
    """Rows of a generator's set that the audit of the run counts as copies, of its class."""
    audit, rows = read_audit(generator.folder), class_rows(synthetic, generator.label)
    if audit is None:
        return frozenset()
    own = (audit.pairs["label"] == generator.label) & (audit.pairs["score"] < 1)
    return frozenset(rows[audit.pairs.loc[own, "synthetic"].astype(int)].tolist())


def _pale(image: UInt8[np.ndarray, "s s 3"]) -> UInt8[np.ndarray, "s s 3"]:
    """An image that was excluded, near to white."""
    return (255 - (255 - image.astype(float)) * PALE).astype(np.uint8)


def about_image(
    opened: Opened, generator: GeneratorResult, row: int
) -> tuple[list[Captioned], str]:
    """The nearest training images of a generated one, and what is known of it in Markdown."""
    synthetic, reference = synthetic_set(generator), opened.reference(generator)
    image = np.array(synthetic.images[row])
    near = Listed([], "")
    if reference is not None:
        near = _neighbours(opened, generator, image, reference)
    lines = [
        f"**Image {row}**, asked of the generator: {class_words(synthetic.labels[row])}",
        near.listed,
        _opinion(reference, image, synthetic.labels[row]),
        _audited(generator, row, synthetic),
        _provenance(generator, row, synthetic),
    ]
    return near.images, "\n\n".join(filter(None, lines))


def _neighbours(
    opened: Opened, generator: GeneratorResult, image: np.ndarray, reference: Reference
) -> Listed:
    rows = opened.training_rows(generator.fold, generator.label)
    training, lesions = opened.images(rows), opened.lesions(rows)
    found = nearest_lesions(image, training, lesions, reference.judge.features, NEAREST)
    places, ids = [near.indices[0] for near in found], opened.results.catalog.image_ids[rows]
    words = [
        f"{ids[place]}: {near.pixels[0]:.1f} of 255 grey levels, {near.features[0]:.2f} in features"
        for place, near in zip(places, found, strict=True)
    ]
    return Listed.of(training[places], words)


def _opinion(reference: Reference | None, image: np.ndarray, label: str) -> str:
    if reference is None:
        return "The classifier of this fold that audits the generator has not finished."
    (even,) = reference.probabilities(image[None])
    classes = reference.judge.classes
    best = int(even.argmax())
    own = even[classes.index(label)]
    return (
        f"The reference classifier ({reference.judge.name}, trained on real images of this fold) "
        f"takes it for {class_words(classes[best])} ({even[best]:.0%}, prior-adjusted), "
        + ("as it was asked." if classes[best] == label else f"and gives its own class {own:.0%}.")
    )


def _audited(generator: GeneratorResult, row: int, synthetic: SyntheticSet) -> str:
    """What the audit of the run says of an image, which only stores the nearest pairs."""
    audit = read_audit(generator.folder)
    if audit is None:
        return "The generator has no audit."
    numbers = audit.numbers.set_index("label").loc[generator.label]
    if pd.isna(numbers["pixel_threshold"]):
        return "The audit of the run could not search for copies of this class."
    limits = (
        f"a copy lies within {numbers['pixel_threshold']:.1f} grey levels and "
        f"{numbers['feature_threshold']:.2f} in features of a training image"
    )
    if row in copies(generator, synthetic):
        return f"The audit of the run counts it as a copy: {limits}."
    number = len(class_rows(synthetic, generator.label))
    among = "" if numbers["images"] == number else f" among the {numbers['images']:,} it examined"
    return f"It is not one of the copies that the audit of the run found{among}: {limits}."


def _provenance(generator: GeneratorResult, row: int, synthetic: SyntheticSet) -> str:
    origin = synthetic.provenance
    return (
        f"Provenance: {origin.family}, generator `{origin.generator[:16]}`, latent "
        f"`{synthetic.latents[row]}`, fold {generator.fold} (key `{origin.fold_key}`), trained on "
        f"{len(origin.training_images):,} images of the training split."
    )
