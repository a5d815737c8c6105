"""Which images a reader test shows: per class as many real ones as synthetic ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

import numpy as np
from jaxtyping import UInt8

from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.run.results import GeneratorResult, RunResults
from dermaug.readers.key import REAL, SYNTHETIC
from dermaug.seeding import derive_seed

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, eq=False)
class Chosen:
    """One image of a reader test.

    Args:
        pixels: The image.
        origin: real or synthetic.
        label: Its class.
        generator: Key of its generator; "" for a real image.
        source: Id of a real image, or which image of which generator.
    """

    pixels: Pixels
    origin: str
    label: str
    generator: str
    source: str


def choose_images(results: RunResults, number: int, seed: int) -> tuple[Fold, list[Chosen]]:
    """Choose the images of a test, at random.

    The synthetic images were drawn by the generators of the first fold with any, all families and
    seeds in turn. The real ones are from this fold's test split and, where a class has too few
    lesions there, from its validation split: no generator was trained on them. Each shows another
    lesion. Only classes that a generator draws are shown.

    Args:
        results: A run with at least one finished generator.
        number: Images in total. Each class gets an equal part, or as many as there are.
        seed: Random seed.

    Returns:
        The fold, and the images by class.

    Raises:
        DermaugError: No generator has finished, or no class has images of both kinds.
    """
    if not results.generators:
        raise DermaugError(
            f"{results.folder}: expected a run with a finished generator, found none; resume it "
            "with `dermaug run`"
        )
    index = min(generator.fold for generator in results.generators)
    (fold,) = (fold for fold in results.folds if fold.index == index)
    drawn = [generator for generator in results.generators if generator.fold == index]
    classes = [name for name in results.catalog.classes if name in {one.label for one in drawn}]
    chosen = []
    for place, label in enumerate(classes):
        random = np.random.default_rng(derive_seed("readers", label, seed))
        each = number // 2 // len(classes) + (place < number // 2 % len(classes))
        real = list(islice(_real(results, fold, label, random), each))
        own = [one for one in drawn if one.label == label]
        synthetic = list(islice(_synthetic(own, random), len(real)))
        chosen += real[: len(synthetic)] + synthetic
    if not chosen:
        raise DermaugError(
            f"{results.folder}: expected real images of {', '.join(classes)} in the test or "
            f"validation split of fold {index}, found none to set beside the synthetic ones"
        )
    return fold, chosen


def shortfalls(chosen: list[Chosen], number: int) -> list[str]:
    """A sentence if a test holds fewer images than were asked for."""
    if len(chosen) >= number - number % 2:
        return []
    labels = [one.label for one in chosen]
    each = ", ".join(f"{name} {labels.count(name)}" for name in dict.fromkeys(labels))
    return [
        f"{len(chosen)} of {number} images: a class has too few other lesions ({each}; half of "
        "them real)"
    ]


def _real(
    results: RunResults, fold: Fold, label: str, random: np.random.Generator
) -> Iterator[Chosen]:
    """Real images of a class in random order, one per lesion, those of the test split first."""
    table, known = results.catalog.table, set()
    for part in (fold.test, fold.validation):
        for row in random.permutation(results.catalog.rows(part)):
            lesion = table["lesion_id"].iat[row]
            if table["label"].iat[row] == label and lesion not in known:
                known.add(lesion)
                name = str(table["image_id"].iat[row])
                yield Chosen(np.asarray(results.images[row]), REAL, label, "", name)


def _synthetic(generators: list[GeneratorResult], random: np.random.Generator) -> Iterator[Chosen]:
    """Generated images of a class: one of each generator in turn, in random order."""
    decks = [
        [
            Chosen(
                np.asarray(one.samples[row]),
                SYNTHETIC,
                one.label,
                one.family,
                f"fold{one.fold}-seed{one.seed}/{row}",
            )
            for row in random.permutation(len(one.samples))
        ]
        for one in generators
    ]
    return (image for image in chain(*zip_longest(*decks)) if image is not None)
