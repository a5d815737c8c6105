"""What Radford et al. 2015 (arXiv:1511.06434) did with a trained DCGAN, on lesions.

Walks through the latents, vector arithmetic, the discriminator as a feature extractor, and
near-duplicates among the training images: each with a number beside the pictures.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8

from dermaug.console import progress_bar
from dermaug.errors import DermaugError
from dermaug.evaluation.duplicates import NEAR, most_alike
from dermaug.evaluation.lesion_traits import TRAITS
from dermaug.evaluation.memorisation import oriented
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.inspection.explore_features import COLUMNS, critic_scores
from dermaug.inspection.explore_subject import Subject, open_subject
from dermaug.synthesis.latent_arithmetic import Arithmetic, add_directions
from dermaug.synthesis.walks import Walk, walk_classes, walk_latents

WALKS, WALKS_OF_MANY = 6, 2
"""Walks of each class: of a generator with one class, and with several."""
PAIRS_SHOWN = 8
DUPLICATES = (
    *("first", "second", "first_lesion", "second_lesion", "first_label", "second_label"),
    *("correlation", "near_duplicate"),
)


@dataclass(frozen=True, eq=False)
class Exploration:
    """What was found in one generator.

    Args:
        spec: The generator.
        classes: Classes that were looked at.
        notes: What was left out and why, and what a reader must know, one sentence each.
        walks: Walks within classes, then from class to class.
        arithmetic: (class, trait) -> what adding its direction does.
        features: As `critic_scores` gives them; empty where there is nothing to score.
        duplicates: Near-duplicates among the training images of different lesions, and the pairs
            that come next; the columns of `DUPLICATES`; empty without data.
        pairs: Images of the first of these pairs: the first ones turned to fit, above the second.
    """

    spec: GeneratorSpec
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    walks: tuple[Walk, ...]
    arithmetic: dict[tuple[str, str], Arithmetic]
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
        head = {"family": self.spec.config.key, "classes": list(self.classes)}
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
    chosen = _chosen(subject, classes)
    known, sampler = subject.spec.classes, subject.family.sampler
    notes: list[str] = []
    walks: list[Walk] = []
    arithmetic = {}
    with progress_bar("exploring", len(chosen) + 2, "parts") as advance:
        for name in chosen:
            label = known.index(name)
            number = WALKS if len(known) == 1 else WALKS_OF_MANY
            walks += walk_latents(sampler, label, name, number, seed)
            for trait, found in add_directions(sampler, label, TRAITS, seed).items():
                arithmetic[name, trait] = found
            advance(1, name)
        walks += walk_classes(sampler, known, seed) if not classes else []
        features = _features(subject, seed, notes)
        advance(1, "discriminator")
        duplicates, pairs = _duplicates(subject, notes)
        advance(1, "duplicates")
    return Exploration(
        subject.spec,
        chosen,
        tuple(notes),
        tuple(walks),
        arithmetic,
        features,
        duplicates,
        pairs,
    )


def walk_table(walks: Sequence[Walk]) -> pd.DataFrame:
    """One row a walk: walk, start, end, length, mean_step, largest_step, jump (grey levels)."""
    rows = [
        (place, walk.start, walk.end, walk.length, walk.steps.mean(), walk.steps.max(), walk.jump)
        for place, walk in enumerate(walks)
    ]
    names = ["walk", "start", "end", "length", "mean_step", "largest_step", "jump"]
    return pd.DataFrame(rows, columns=names)


def arithmetic_table(arithmetic: dict[tuple[str, str], Arithmetic]) -> pd.DataFrame:
    """One row a class and trait.

    Its spread among generated images, the mean of fresh images, the change by adding and by taking
    away the direction, and the mean, least and largest change by unsorted directions.
    """
    rows = [
        (
            *(label, trait, found.spread, found.before, found.raised, found.lowered),
            *(found.controls.mean(), found.controls.min(), found.controls.max()),
            len(found.controls),
        )
        for (label, trait), found in arithmetic.items()
    ]
    names = ["label", "trait", "spread", "before", "raised", "lowered"]
    names += ["control_mean", "control_least", "control_largest", "controls"]
    return pd.DataFrame(rows, columns=names)


def _chosen(subject: Subject, classes: Sequence[str]) -> tuple[str, ...]:
    known = subject.spec.classes
    if unknown := [name for name in classes if name not in known]:
        raise DermaugError(
            f"{subject.path}: expected classes it was trained on ({', '.join(known)}), found "
            f"{', '.join(map(repr, unknown))}"
        )
    return tuple(dict.fromkeys(classes)) or known


def _features(subject: Subject, seed: int, notes: list[str]) -> pd.DataFrame:
    """Scores of the critic's features, or a note on why there are none."""
    try:
        found = critic_scores(subject, seed)
    except DermaugError as error:
        notes.append(f"The discriminator was not looked at: {error.message}.")
        return pd.DataFrame(columns=list(COLUMNS))
    if len(subject.spec.classes) < (subject.store.catalog.num_classes if subject.store else 0):
        seen = ", ".join(subject.spec.classes)
        notes.append(
            f"The discriminator has seen images of {seen} only; the machine on its features tells "
            "all classes of the data apart."
        )
    return found


def _duplicates(subject: Subject, notes: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Pairs among the generator's training images, and the pictures of the first of them."""
    if subject.store is None:
        notes.append("Near-duplicates were not sought: give the training data with --data.")
        return pd.DataFrame(columns=list(DUPLICATES)), np.empty((2, 0, 1, 1, 3), np.uint8)
    images, catalog = subject.training
    table, rows = catalog.table, subject.store.catalog.rows(subject.spec.training_images)
    if not catalog.grouped:
        notes.append("Lesions are not known: near-duplicates may be images of one lesion.")
    details = subject.store.contents.details[rows]
    found = most_alike(details, table["lesion_id"].to_numpy(), PAIRS_SHOWN)
    sides = (found.first, found.second)
    told = {
        f"{place}{ending}": table[column].to_numpy()[rows]
        for ending, column in (("", "image_id"), ("_lesion", "lesion_id"), ("_label", "label"))
        for place, rows in zip(("first", "second"), sides, strict=True)
    }
    told |= {"correlation": found.correlations, "near_duplicate": found.correlations >= NEAR}
    shown = slice(0, PAIRS_SHOWN)
    turned = [
        oriented(images[[row]], int(turn))[0]
        for row, turn in zip(found.first[shown], found.orientations[shown], strict=True)
    ]
    pictures = np.stack([np.array(turned).reshape(-1, *images.shape[1:]), images[sides[1][shown]]])
    return pd.DataFrame(told)[list(DUPLICATES)], pictures
