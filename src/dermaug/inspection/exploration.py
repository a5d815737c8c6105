"""What Radford et al. 2015 (arXiv:1511.06434) did with a trained DCGAN, on lesions.

Walks through the latents, vector arithmetic, the discriminator as a feature extractor, and
near-duplicates among the training images: each with a number beside the pictures.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8

from dermaug.console import progress_bar
from dermaug.errors import DermaugError
from dermaug.evaluation.duplicates import near_pairs
from dermaug.evaluation.lesion_area import lesion_area
from dermaug.evaluation.memorisation import oriented
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.inspection.explore_features import COLUMNS, discriminator_scores
from dermaug.inspection.explore_subject import Subject, open_subject
from dermaug.synthesis.latent_arithmetic import Arithmetic, add_direction
from dermaug.synthesis.walks import jumps, step_sizes, walk_latents

WALKS, WALKS_OF_MANY = 6, 2
"""Walks of each class: of a generator with one class, and with several."""
PAIRS_SHOWN = 8
_TOLD = (("", "image_id"), ("_lesion", "lesion_id"), ("_label", "label"))
DUPLICATES = (*(side + end for end, _ in _TOLD for side in ("first", "second")), "correlation")


@dataclass(frozen=True, eq=False)
class Exploration:
    """What was found in one generator.

    Args:
        spec: The generator.
        notes: What was left out and why, and what a reader must know, one sentence each.
        walks: Class -> images of its walks.
        arithmetic: Class -> what adding the direction of large lesions does.
        features: Returned by `discriminator_scores`; empty where there is nothing to score.
        duplicates: Near-duplicates among the training images of different lesions, the most alike
            first, with the columns of `DUPLICATES`; empty without data.
        pairs: Images of the first of these pairs: the first ones turned to fit, above the second.
    """

    spec: GeneratorSpec
    notes: tuple[str, ...]
    walks: Mapping[str, UInt8[np.ndarray, "w n s s 3"]]
    arithmetic: Mapping[str, Arithmetic]
    features: pd.DataFrame
    duplicates: pd.DataFrame
    pairs: UInt8[np.ndarray, "2 n s s 3"]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All numbers by name: walks, arithmetic, features, duplicates."""
        return {
            "walks": walk_table(self.walks),
            "arithmetic": arithmetic_table(self.arithmetic),
            "features": self.features,
            "duplicates": self.duplicates,
        }

    @property
    def record(self) -> dict[str, Any]:
        """All but the pictures, as JSON knows it."""
        numbers = {
            name: json.loads(table.to_json(orient="records")) for name, table in self.tables.items()
        }
        head = {"family": self.spec.config.key, "classes": list(self.walks)}
        return head | {"notes": list(self.notes)} | numbers


def explore(
    generator: Path,
    data: Path | None,
    device: torch.device,
    *,
    classes: Sequence[str] = (),
    seed: int = 0,
) -> Exploration:
    """Look into one trained generator.

    Args:
        generator: `generator.safetensors`, or the folder that holds it.
        data: The data set it was trained on; None takes the one that its run names.
        device: Where the networks run.
        classes: What to draw; empty draws all that the generator knows.
        seed: Of latents, subsets and resampling.

    Raises:
        DermaugError: No generator, a class that it does not know, or other data than its run's.
    """
    subject = open_subject(generator, data, device)
    known, sampler = subject.spec.classes, subject.family.sampler
    if unknown := [name for name in classes if name not in known]:
        raise DermaugError(
            f"{subject.path}: expected classes it was trained on ({', '.join(known)}), found "
            f"{', '.join(map(repr, unknown))}"
        )
    notes: list[str] = []
    walks, arithmetic = {}, {}
    number = WALKS if len(known) == 1 else WALKS_OF_MANY
    chosen = tuple(dict.fromkeys(classes)) or known
    with progress_bar("exploring", len(chosen) + 2, "parts") as advance:
        for name in chosen:
            label = known.index(name)
            walks[name] = walk_latents(sampler, label, number, seed)
            arithmetic[name] = add_direction(sampler, label, lesion_area, seed)
            advance(1, name)
        features = _features(subject, seed, notes)
        advance(1, "discriminator")
        duplicates, pairs = _duplicates(subject, notes)
        advance(1, "duplicates")
    return Exploration(subject.spec, tuple(notes), walks, arithmetic, features, duplicates, pairs)


def walk_table(walks: Mapping[str, UInt8[np.ndarray, "w n s s 3"]]) -> pd.DataFrame:
    """One row per class: label, interpolations, mean and largest step, mean and largest jump."""
    rows = []
    for label, images in walks.items():
        steps = step_sizes(images)
        jump = jumps(steps)
        largest = steps.max(axis=1).mean()
        rows.append((label, len(steps), steps.mean(), largest, jump.mean(), jump.max()))
    names = ["label", "interpolations", "mean_step", "largest_step", "mean_jump", "largest_jump"]
    return pd.DataFrame(rows, columns=names)


def arithmetic_table(arithmetic: Mapping[str, Arithmetic]) -> pd.DataFrame:
    """One row per class, in shares of the inscribed disc.

    The spread among generated images, the mean of fresh images, the change by adding and by taking
    away the direction, and the mean, least and largest change by unsorted directions.
    """
    rows = [
        {
            "label": label,
            **{name: getattr(found, name) for name in ("spread", "before", "raised", "lowered")},
            "control_mean": found.controls.mean(),
            "control_least": found.controls.min(),
            "control_largest": found.controls.max(),
        }
        for label, found in arithmetic.items()
    ]
    return pd.DataFrame(rows)


def _features(subject: Subject, seed: int, notes: list[str]) -> pd.DataFrame:
    """Scores of the discriminator's features, or a note on why there are none."""
    try:
        found = discriminator_scores(subject, seed)
    except DermaugError as error:
        notes.append(f"The discriminator was not looked at: {error.message}.")
        return pd.DataFrame(columns=list(COLUMNS))
    if subject.store is not None and set(subject.spec.classes) < set(subject.store.catalog.classes):
        seen = ", ".join(subject.spec.classes)
        notes.append(
            f"The discriminator has seen images of {seen} only; the SVM on its features tells all "
            "classes of the data apart."
        )
    return found


def _duplicates(subject: Subject, notes: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Pairs among the generator's training images, and the pictures of the first of them."""
    if subject.store is None:
        notes.append("Near-duplicates were not sought: give the training data with --data.")
        return pd.DataFrame(columns=list(DUPLICATES)), np.empty((2, 0, 1, 1, 3), np.uint8)
    images, catalog = subject.training
    if not catalog.grouped:
        notes.append("Lesions are not known: near-duplicates may be images of one lesion.")
    rows = subject.store.catalog.rows(subject.spec.training_images)
    lesions = catalog.table["lesion_id"].to_numpy()
    found = near_pairs(subject.store.contents.details[rows], lesions)
    if not len(found.first):
        notes.append("There are no near-duplicates among its training images of different lesions.")
    told = {
        side + end: catalog.table[column].to_numpy()[of_side]
        for end, column in _TOLD
        for side, of_side in (("first", found.first), ("second", found.second))
    }
    table = pd.DataFrame({**told, "correlation": found.correlations})
    first, second, turns = (
        each[:PAIRS_SHOWN] for each in (found.first, found.second, found.orientations)
    )
    upper = [oriented(images[[row]], int(turn))[0] for row, turn in zip(first, turns, strict=True)]
    return table, np.stack([np.array(upper).reshape(images[second].shape), images[second]])
