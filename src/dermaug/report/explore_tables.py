"""The numbers of an exploration, in sentences and tables."""

import pandas as pd

from dermaug.data.halves import LEAST_GROUPS
from dermaug.evaluation.duplicates import NEAR
from dermaug.report.tables import NONE, Table, number, signed

SUDDEN = 4.0
"""Largest step over the mean one from which on a walk is called sudden."""
UNITS = {"area": (100.0, " %"), "contrast": (1.0, "")}
"""Factor and unit in which a trait is read."""


def explore_sentences(tables: dict[str, pd.DataFrame]) -> list[str]:
    """What stands out, one sentence each part that has numbers."""
    return [
        *_of_walks(tables["walks"]),
        *_of_arithmetic(tables["arithmetic"]),
        *_of_features(tables["features"]),
        *_of_duplicates(tables["duplicates"]),
    ]


def explore_tables(tables: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """Tables for reading, by name; those without rows are left out."""
    made = {
        "walks": walks_table,
        "arithmetic": arithmetic_table,
        "features": features_table,
        "duplicates": duplicates_table,
    }
    return {name: make(tables[name]) for name, make in made.items() if len(tables[name])}


def walks_table(walks: pd.DataFrame) -> Table:
    """One row a way: mean and worst jump of its walks."""
    rows = [
        (
            *(str(start), str(end), str(len(part))),
            *(f"{part[name].mean():.1f}" for name in ("length", "mean_step", "largest_step")),
            *(f"{part['jump'].mean():.1f}", f"{part['jump'].max():.1f}"),
        )
        for (start, end), part in walks.groupby(["start", "end"], sort=False)
    ]
    header = ("From", "To", "Walks", "Ends apart", "Mean step", "Largest step", "Jump", "Worst")
    caption = (
        "Root mean square differences in grey levels (0 to 255), means over walks. Jump: the "
        "largest step of a walk over its mean step; 1 for even steps, 11 where all changes at once."
    )
    return Table(caption, header, tuple(rows), texts=2)


def arithmetic_table(arithmetic: pd.DataFrame) -> Table:
    """One row a class and trait, in the trait's own unit."""
    rows = []
    for _, row in arithmetic.iterrows():
        factor, unit = UNITS.get(str(row["trait"]), (1.0, ""))
        values = {
            name: f"{factor * row[name]:+.1f}".replace("-", "−")
            for name in ("raised", "lowered", "control_mean", "control_least", "control_largest")
        }
        rows.append(
            (
                str(row["label"]),
                f"{row['trait']}{unit and f',{unit}'}",
                f"{factor * row['before']:.1f} ± {factor * row['spread']:.1f}",
                values["raised"],
                values["lowered"],
                f"{values['control_mean']} ({values['control_least']} to "
                f"{values['control_largest']})",
            )
        )
    header = ("Class", "Trait", "Fresh images", "Added", "Taken away", "Control directions")
    caption = (
        "Mean change of 32 fresh images by the direction (three largest less three smallest of "
        "192 generated images) and by nine directions of the same length between unsorted triples "
        "(mean, least to largest). Area: dark share of the inscribed disc; contrast: blue grey "
        "levels between dark part and rest."
    )
    return Table(caption, header, tuple(rows), texts=2)


def features_table(features: pd.DataFrame) -> Table:
    """One row a kind of features."""
    rows = tuple(
        (
            str(row["features"]),
            f"{number(row['balanced_accuracy'])} ({number(row['low'])} to {number(row['high'])})",
            NONE
            if place == 0
            else f"{signed(-row['less_than_trained'])} "
            f"({signed(-row['less_high'])} to {signed(-row['less_low'])})",
            NONE if pd.isna(row["dimensions"]) else f"{row['dimensions']:,.0f}",
        )
        for place, (_, row) in enumerate(features.iterrows())
    )
    header = ("Features", "Balanced accuracy", "Less trained discriminator", "Number")
    caption = (
        "One half of the validation lesions of each class, 95 % intervals over lesions; the other "
        "half chose the discriminator's snapshot and the C of its machine. (Classes with fewer "
        f"than {2 * LEAST_GROUPS} lesions are not halved.) Discriminators: all convolutions "
        "max-pooled to 4x4, and a linear support vector machine fitted to at most 400 training "
        "images per class. Classifiers that keep the best of several looks at validation are a "
        "little high."
    )
    return Table(caption, header, rows)


def duplicates_table(duplicates: pd.DataFrame, shown: int = 8) -> Table:
    """The most alike pairs."""
    names = ["first", "second", "first_label", "second_label"]
    rows = tuple(
        (*(str(row[name]) for name in names), f"{row['correlation']:.3f}")
        for _, row in duplicates.head(shown).iterrows()
    )
    header = ("Image", "Image", "Class", "Class", "Correlation")
    caption = (
        f"The {len(rows)} most alike pairs of different lesions, by the correlation of their "
        f"finest detail at 32 pixels; from {NEAR} on they count as one photograph."
    )
    return Table(caption, header, rows, texts=4)


def _of_walks(walks: pd.DataFrame) -> list[str]:
    sudden = int((walks["jump"] >= SUDDEN).sum())
    smooth = "none changes suddenly" if sudden == 0 else f"{sudden} change suddenly"
    return [
        f"Of {len(walks)} walks {smooth}: the largest step is {walks['jump'].mean():.1f} times the "
        f"mean one on average, {walks['jump'].max():.1f} times in the worst."
    ]


def _of_arithmetic(arithmetic: pd.DataFrame) -> list[str]:
    sentences = []
    for trait, part in arithmetic.groupby("trait", sort=False):
        works = part["label"][part["raised"] > part["control_largest"]]
        names = ", ".join(works) or "none"
        sentences.append(
            f"Adding what sets images of large {trait} apart raised it by more than each control "
            f"direction in {len(works)} of {len(part)} classes drawn ({names})."
        )
    return sentences


def _of_features(features: pd.DataFrame) -> list[str]:
    if len(features) < 2:
        return []
    trained, untrained = features.iloc[0], features.iloc[1]
    low, high = untrained["less_low"], untrained["less_high"]
    verdict = (
        "training taught it what tells diagnoses apart"
        if low > 0.0
        else "an untrained network does better"
        if high < 0.0
        else "no better than before training, as far as these images tell"
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
    near = int(duplicates["near_duplicate"].sum())
    found = {0: "are no near-duplicates", 1: "is one near-duplicate pair"}
    told = found.get(near, f"are {near} near-duplicate pairs")
    return [f"Among its training images of different lesions there {told}."]
