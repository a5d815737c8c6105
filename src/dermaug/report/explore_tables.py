"""The numbers of an exploration, in sentences and tables."""

from collections.abc import Mapping

import pandas as pd

from dermaug.data.halves import LEAST_GROUPS
from dermaug.evaluation.duplicates import NEAR
from dermaug.report.tables import Table, number, signed

SUDDEN = 4.0
"""Largest step over the mean one from which on an interpolation is called sudden."""
SHOWN = 8
CAPTIONS = {
    "walks": "Root mean square differences of neighbouring images in grey levels (0 to 255), means "
    "over interpolations. Jump: the largest step of an interpolation divided by its mean step; 1 "
    "for even steps, 11 if everything changes at once.",
    "arithmetic": "Area: dark share of the inscribed disc. Before: mean of 32 new images; spread: "
    "SD of 192 generated ones. Raised, lowered: mean change by adding and by subtracting the "
    "direction (three largest minus three smallest of the 192). Control: mean change by nine "
    "directions of the same length between unsorted triples.",
    "features": "Balanced accuracy on one half of the validation lesions of each class, and how "
    "much lower it is than that of the trained discriminator, with 95 % intervals over lesions; "
    "the other half was used to choose the discriminator's snapshot and the C of its SVM. (Classes "
    f"with fewer than {2 * LEAST_GROUPS} lesions are not halved.) Discriminators: all convolutions "
    "max-pooled to 4x4, and a linear SVM fitted to at most 400 training images per class. "
    "Classifiers that keep the best of several evaluations on validation are slightly "
    "overestimated.",
    "duplicates": f"The most similar pairs of different lesions, at most {SHOWN}, by the "
    "correlation of their finest detail at 32 pixels; a pair with a correlation of "
    f"{NEAR} or more counts as one photograph.",
}


def explore_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, Table]:
    """Tables for reading, by name; those without rows are left out."""
    return {
        name: Table(
            CAPTIONS[name],
            tuple(str(column).replace("_", " ").capitalize() for column in table),
            tuple(
                tuple(number(cell) if isinstance(cell, float) else str(cell) for cell in row)
                for row in table.head(SHOWN).itertuples(index=False)
            ),
            texts=6 if name == "duplicates" else 1,
        )
        for name, table in tables.items()
        if len(table)
    }


def explore_sentences(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """What stands out, one sentence for each part that has numbers."""
    walks, areas = tables["walks"], tables["arithmetic"]
    sudden = ", ".join(walks["label"][walks["largest_jump"] >= SUDDEN])
    works = areas["label"][areas["raised"] > areas["control_largest"]]
    named = f" ({', '.join(works)})" if len(works) else ""
    return [
        f"Interpolations change suddenly in {sudden or 'no class'}: their largest step is "
        f"{walks['mean_jump'].mean():.1f} times the mean step on average, and "
        f"{walks['largest_jump'].max():.1f} times at most.",
        "Adding the direction of large lesions increased the area by more than every control "
        f"direction in {len(works)} of {len(areas)} classes drawn{named}.",
        *_of_features(tables["features"]),
        *_of_duplicates(tables["duplicates"]),
    ]


def _of_features(features: pd.DataFrame) -> list[str]:
    if len(features) < 2:
        return []
    trained, untrained = features.iloc[0], features.iloc[1]
    low, high = untrained["less_low"], untrained["less_high"]
    verdict = (
        "better than before training"
        if low > 0.0
        else "worse than before training"
        if high < 0.0
        else "not distinguishable from those before training on these images"
    )
    return [
        f"The discriminator's features: {verdict} (balanced accuracy "
        f"{trained['balanced_accuracy']:.3f}, untrained {untrained['balanced_accuracy']:.3f}, "
        f"difference {signed(untrained['less_than_trained'])}, 95 % interval {signed(low)} to "
        f"{signed(high)})."
    ]


def _of_duplicates(duplicates: pd.DataFrame) -> list[str]:
    if duplicates.empty:
        return []
    pairs = "is one near-duplicate pair"
    if len(duplicates) > 1:
        pairs = f"are {len(duplicates)} near-duplicate pairs"
    return [f"Among its training images of different lesions there {pairs}."]
