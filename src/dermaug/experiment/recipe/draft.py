"""From a look at the data and a rung of the recipe to the entries of an experiment file."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dermaug.data.halves import LEAST_GROUPS
from dermaug.experiment.recipe import rules
from dermaug.experiment.recipe.look import Look
from dermaug.experiment.recipe.rules import Rung

TRAINED = 0.85
"""Share of the images outside the test split that are in training, by `splits.validation`."""


@dataclass(frozen=True)
class Draft:
    """The entries of an experiment file.

    Args:
        tree: Plain values, as in the file.
        length: Fraction of the rung's training lengths; 1 unless the hours are too few.
    """

    tree: dict[str, Any]
    rung: Rung
    length: float = 1.0


def draft(
    look: Look, rung: Rung, seeds: int, given: Mapping[str, Any], length: float = 1.0
) -> Draft:
    """Choose every entry of the experiment.

    `given` are those that were known before: the source, and what the user has set of the sections
    data and splits. `length` is a fraction of the rung's training lengths.
    """
    trained = training_images(look, rung.folds)
    classifier_images = _rounded(length * max(rung.fewest_images, rung.epochs * trained))
    drawn = worth_drawing(look, rung.folds)
    section: dict[str, Any] = {"size": image_side(rung, look.short_sides[1]), **given["data"]}
    if look.too_few:
        section["classes"] = [each.label for each in look.classes]
    if look.unusable:
        section["on_bad"] = "skip"
    tree: dict[str, Any] = {
        "name": study_name(look.catalog.name),
        "question": f"Do synthetic images improve a classifier of {look.catalog.name} "
        f"({len(look.classes)} classes)?",
        "seeds": list(range(seeds)),
        "check_convergence": True,
        "data": section,
        "splits": {"folds": rung.folds, **given.get("splits", {})},
        "classifiers": [
            {
                **rules.OWN_CNN,
                "images": classifier_images,
                "batch": rules.SMALL_BATCH if trained <= rules.SMALL_SET else rules.LARGE_BATCH,
                "validations": rules.VALIDATIONS,
            },
            *_pretrained(look, rung, classifier_images),
        ],
        "generators": [
            {**generator(look, rung), "images": _rounded(length * rung.generator_images)}
        ],
        "arms": _arms(look, rung, drawn),
    }
    return Draft(tree, rung, length)


def image_side(rung: Rung, short_side: int) -> int:
    """Largest doubling of the smallest size that neither the rung nor most photographs exceed."""
    side = rules.SMALLEST_SIDE
    while 2 * side <= min(rung.side, short_side):
        side *= 2
    return side


def training_images(look: Look, folds: int) -> int:
    """About how many images are in the training split of a fold."""
    return round(sum(each.images for each in look.classes) * (1 - 1 / folds) * TRAINED)


def worth_drawing(look: Look, folds: int) -> tuple[str, ...]:
    """Classes that are synthesised: neither too common to need it nor too rare to learn from.

    If that leaves none but the most frequent one, all classes are synthesised.
    """
    labels = [each.label for each in look.classes]
    others = {*too_common(look, folds), *too_rare(look, folds)}
    found = tuple(label for label in labels if label not in others)
    largest = max(look.classes, key=lambda each: each.images).label
    return found if {*found} - {largest} else tuple(labels)


def too_common(look: Look, folds: int) -> list[str]:
    """Classes with so many training images that they lack none."""
    share = (1 - 1 / folds) * TRAINED
    return [each.label for each in look.classes if each.images * share > rules.ENOUGH_IMAGES]


def too_rare(look: Look, folds: int) -> list[str]:
    """Classes with too few training lesions for a generator to learn from."""
    share = (1 - 1 / folds) * TRAINED
    return [each.label for each in look.classes if each.groups * share < rules.FEWEST_DRAWN]


def hardly_validated(look: Look, folds: int) -> list[str]:
    """Classes of which a validation split may have too few groups to tell copies by."""
    share = (1 - 1 / folds) * (1 - TRAINED)
    return [each.label for each in look.classes if each.groups * share < LEAST_GROUPS + 1]


def study_name(text: str) -> str:
    """A name for the study and its folder: plain letters, digits, dots and dashes.

    Example:
        >>> study_name("Hautklinik Fotos (März)")
        'Hautklinik-Fotos-Marz'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", plain).strip("-_.+")[:60] or "study"


def generator(look: Look, rung: Rung) -> dict[str, Any]:
    """The generator of a rung, without the length of its training."""
    return dict(rules.PROJECTED if rung.pretrained and look.weights else rules.CGAN)


def _pretrained(look: Look, rung: Rung, images: int) -> list[dict[str, Any]]:
    if not (rung.pretrained and look.weights):
        return []
    origin = {"weights": "package"} if look.weights == "package" else {"pretrained": True}
    own = {**rules.PRETRAINED, **origin, "images": images, "validations": rules.VALIDATIONS}
    return [own]


def _arms(look: Look, rung: Rung, drawn: tuple[str, ...]) -> list[dict[str, Any]]:
    common = {"loss": "adjusted"} if look.imbalance >= rules.IMBALANCED else {}
    all_drawn = len(drawn) == len(look.classes)
    synthetic = {
        "family": generator(look, rung)["family"],
        **({} if all_drawn else {"classes": list(drawn)}),
        "dose": max(each.images for each in look.classes if each.label in drawn),
        "max_per_real": rules.PER_REAL,
        "curation": dict(rules.CURATION),
    }
    arms: list[dict[str, Any]] = [
        {"name": "classic", "policy": "standard", **common},
        {"name": "real", **common},
        {"name": "classic+synthetic", "policy": "standard", **common, "synthetic": synthetic},
    ]
    if rung.half:
        arms.append({"name": "half", "policy": "standard", **common, "half": True})
    return arms


def _rounded(images: float) -> int:
    """To two digits, which read more easily and matter no more."""
    places = max(len(str(int(images))) - 2, 0)
    return max(int(round(images, -places)), 1)
