"""Two tables of predictions of the same images, paired by fold and training."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import Field

from dermaug.errors import DermaugError
from dermaug.evaluation.readouts import prior_adjusted, prior_array
from dermaug.stats.answers import FoldPredictions
from dermaug.stats.copied import are_equal
from dermaug.stats.tables import KEYS, PLACE, A, B, Predictions

Prior = Mapping[str, Annotated[float, Field(gt=0)]]
"""Class -> share, or number, of the images that the loss saw."""


def paired_folds(
    first: Predictions,
    second: Predictions,
    priors: tuple[Prior | None, Prior | None],
    trained_on: int | None,
) -> dict[int, FoldPredictions]:
    """Pair two tables by fold, as predictions of arms `A` and `B`.

    If all folds have the same images (an external data set), they count as one fold, in which each
    (fold, seed) is a separate training.

    Args:
        first: Predictions of arm `A`.
        second: Predictions of arm `B`.
        priors: The prior seen by the loss of each; None leaves its probabilities unchanged.
        trained_on: Lesions in a training split; None takes all that are not in the fold.

    Raises:
        DermaugError: The tables do not have the same images, lesions, labels, folds and seeds.
    """
    _require_alike(first, second)
    tables = [first.table, second.table]
    images = {fold: frozenset(part["image"]) for fold, part in tables[0].groupby("fold")}
    if len(images) > 1 and len(set(images.values())) == 1:
        tables = [t.assign(fold="0", seed=t.groupby(list(PLACE)).ngroup().map(str)) for t in tables]
    _require_apart(tables[0])
    lesions = tables[0]["lesion"].nunique()
    found = {}
    for number, (fold, part) in enumerate(tables[0].groupby("fold")):
        both = [table[table["fold"] == fold] for table in tables]
        others = trained_on or max(lesions - part["lesion"].nunique(), 1)
        found[number] = _fold(both, first.classes, priors, others)
    return found


def copy_notes(given: Mapping[int, FoldPredictions], num_kept: int) -> list[str]:
    """What is said of trainings with equal predictions, one sentence each.

    `num_kept` is the number of pairs of trainings without copies.
    """
    pairs = [(fold, seed) for fold in given.values() for arm, seed in fold.plain if arm == A]
    same = sum(are_equal(fold, (A, seed), (B, seed)) for fold, seed in pairs)
    notes = []
    if same:
        where = "every row" if same == len(pairs) else f"{same:,} of {len(pairs):,} trainings"
        notes.append(f"A and B have equal predictions in {where}: are they copies of one file?")
    if copies := len(pairs) - num_kept:
        notes.append(
            f"{copies:,} of {len(pairs):,} pairs of trainings repeat the predictions of another, "
            "in A or in B: copies of one training are no second one, and are not counted."
        )
    return notes


def _fold(
    tables: Sequence[pd.DataFrame],
    classes: tuple[str, ...],
    priors: tuple[Prior | None, Prior | None],
    trained_on: int,
) -> FoldPredictions:
    plain, even = {}, {}
    known = tables[0].drop_duplicates("image").sort_values("image")
    for arm, table, prior in zip((A, B), tables, priors, strict=True):
        for seed, (_, part) in enumerate(table.groupby("seed")):
            probabilities = part.sort_values("image")[list(classes)].to_numpy(dtype=float)
            plain[arm, seed] = probabilities
            even[arm, seed] = (
                probabilities
                if prior is None
                else prior_adjusted(probabilities, _shares(prior, classes))
            )
    return FoldPredictions(
        image_ids=known["image"].to_numpy(),
        labels=pd.Categorical(known["label"], categories=list(classes)).codes.astype(np.int64),
        groups=known["lesion"].to_numpy(dtype=object),
        plain=plain,
        even=even,
        generator_seed=dict.fromkeys(plain),
        trained_on=dict.fromkeys(plain, trained_on),
    )


def _shares(prior: Prior, classes: tuple[str, ...]) -> Float[np.ndarray, " k"]:
    """A prior in the order of the classes, with sum 1."""
    shares = prior_array(prior, classes)
    shares /= shares.max()  # first: the sum of large numbers may overflow
    return np.asarray(shares / shares.sum())


def _require_alike(first: Predictions, second: Predictions) -> None:
    if set(first.classes) != set(second.classes):
        raise DermaugError(
            f"expected the same classes in both tables, found {', '.join(first.classes)} and "
            f"{', '.join(second.classes)}"
        )
    keys = [*KEYS, *PLACE]
    either = first.table[keys].merge(second.table[keys], how="outer", indicator=True)
    strange = either[either["_merge"] != "both"]
    if len(strange):
        row = strange.iloc[0]
        raise DermaugError(
            "expected the same images, lesions, labels, folds and seeds in both tables; "
            f"rows without a partner: {len(strange):,}, among them image {row['image']} (lesion "
            f"{row['lesion']}, label {row['label']}, fold {row['fold']}, seed {row['seed']})"
        )


def _require_apart(table: pd.DataFrame) -> None:
    """Check that a fold has the same images in every seed and that no lesion is in two folds."""
    for fold, part in table.groupby("fold"):
        if len({frozenset(each["image"]) for _, each in part.groupby("seed")}) > 1:
            raise DermaugError(
                f"fold {fold}: expected the same test images for every seed; number the folds of "
                "repeated cross-validation apart"
            )
    folds = table.groupby("lesion")["fold"].nunique()
    if (folds > 1).any():
        raise DermaugError(
            f"lesion {folds.index[folds > 1][0]} is in the test splits of two folds; a lesion "
            "belongs to one, or scores are inflated and lesions counted twice"
        )
