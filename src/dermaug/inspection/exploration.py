"""Exploration of a trained generator after Radford et al. 2015 (arXiv:1511.06434), on lesions.

Latent interpolation, vector arithmetic, the discriminator as a feature extractor, and
near-duplicates among the training images, each with pictures and numbers.
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
from dermaug.data.orientations import oriented
from dermaug.errors import DermaugError
from dermaug.evaluation.duplicates import near_pairs
from dermaug.evaluation.lesion_area import lesion_area
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.inspection.explore_features import COLUMNS, discriminator_scores
from dermaug.inspection.subject import Subject, open_subject
from dermaug.synthesis.latent_arithmetic import Arithmetic, add_direction
from dermaug.synthesis.walks import jumps, step_sizes, walk_latents

WALKS, WALKS_OF_MANY = 6, 2
"""Interpolations per class: for a generator of one class, and for one of several classes."""
PAIRS_SHOWN = 8
_TOLD = (("", "image_id"), ("_lesion", "lesion_id"), ("_label", "label"))
DUPLICATES = (*(side + end for end, _ in _TOLD for side in ("first", "second")), "correlation")


@dataclass(frozen=True, eq=False)
class Exploration:
    """The exploration of one generator.

    Args:
        spec: The generator.
        notes: Omissions with their reasons, and further remarks, one sentence each.
        walks: Class -> images of its interpolations.
        arithmetic: Class -> effect of adding the direction of large lesions.
        features: Returned by `discriminator_scores`; empty if there is nothing to score.
        duplicates: Near-duplicates among the training images of different lesions, the most
            similar first, with the columns of `DUPLICATES`; empty without data.
        pairs: Images of the first of these pairs: the first images, rotated to fit, above the
            second ones.
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
        """Everything except the pictures, in types that JSON can represent."""
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
    """Explore one trained generator.

    Args:
        generator: `generator.safetensors`, or the folder that contains it.
        data: The data set on which it was trained; None takes the one named by its run.
        device: Device of the networks.
        classes: Classes to draw; empty draws all classes of the generator.
        seed: Seed of latents, subsets and resampling.

    Raises:
        DermaugError: There is no generator, it was not trained on a class, or the data are not
            those of its run.
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
    """One row per class, in fractions of the inscribed disc.

    The columns are the spread among generated images, the mean of new images, the change by adding
    and by subtracting the direction, and the mean, smallest and largest change by random directions
    (between unsorted images).
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
    """Score the discriminator's features, or add a note that states why this is not possible."""
    try:
        found = discriminator_scores(subject, seed)
    except DermaugError as error:
        notes.append(f"The discriminator was not examined: {error.message}.")
        return pd.DataFrame(columns=list(COLUMNS))
    if subject.store is not None and set(subject.spec.classes) < set(subject.store.catalog.classes):
        seen = ", ".join(subject.spec.classes)
        notes.append(
            f"The discriminator was trained on images of {seen} only; the SVM on its features "
            "distinguishes all classes of the data."
        )
    return found


def _duplicates(subject: Subject, notes: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Near-duplicates among the generator's training images, and pictures of the first pairs."""
    if subject.store is None:
        notes.append("Near-duplicates were not searched: pass the training data with --data.")
        return pd.DataFrame(columns=list(DUPLICATES)), np.empty((2, 0, 1, 1, 3), np.uint8)
    images, catalog = subject.training
    if not catalog.grouped:
        notes.append("The data have no lesion ids: near-duplicates may be images of one lesion.")
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
