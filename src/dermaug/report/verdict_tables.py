"""The verdicts as tables: each comparison as a whole, and class by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dermaug.report.tables import NONE, Table, number, signed, with_interval
from dermaug.stats.outcomes import ALPHA, EQUIVALENT, FEWEST_GROUPS, HELPS, HURTS

_OVERALL = {
    "mean sensitivity": "Mean sensitivity, prior-adjusted",
    "macro AUC": "Macro AUC",
}
_CAPTION = (
    "First-named minus second. helps, hurts: p is at most 0.05 after Holm's adjustment for all "
    "judged comparisons of this metric. equivalent: so is p of two one-sided tests against the "
    "margin ({margins}). inconclusive: neither. not judged: one training per arm in fewer "
    "than three folds. The interval is not adjusted, so it may exclude zero where the verdict is "
    "inconclusive. Detectable: the true difference that such a study finds with 80 % power; none: "
    "more than is possible."
)


def overall_verdicts(verdicts: pd.DataFrame) -> Table:
    """Verdicts on mean sensitivity and macro AUC, with what the design could have found.

    Args:
        verdicts: What `verdict_table` gives.
    """
    judged = verdicts[verdicts["family"].isin(list(_OVERALL))]
    rows: list[tuple[str, ...]] = []
    for (model, family), part in judged.groupby(["model", "family"], sort=False):
        rows.append((f"{model}: {_OVERALL[str(family)]}",))
        rows += [
            (
                f"{row['arm']} − {row['reference']}",
                verdict_words(row).replace(" ", "\N{NO-BREAK SPACE}"),
                with_interval(row),
                small(float(row["p_holm"])),
                small(float(row["p_equivalence"])),
                detectable_words(row),
                f"{row['num_pairs']}",
            )
            for row in part.to_dict("records")
        ]
    margins = ", ".join(
        f"{_OVERALL[str(family)]} {part['margin'].iloc[0]:g}"
        for family, part in judged.groupby("family", sort=False)
    )
    header = ("Comparison", "Verdict", "Difference (95 %)", "p (Holm)", "p of equivalence (Holm)")
    return Table(
        _CAPTION.format(margins=margins), (*header, "detectable", "pairs"), tuple(rows), texts=2
    )


def small(p_value: float) -> str:
    """A p-value with three decimals; it is never zero."""
    return "< 0.001" if p_value < 0.001 else number(p_value)


def verdict_words(row: Mapping[Any, Any]) -> str:
    """The verdict as it is printed, with what limits it."""
    if row["verdict"] in (HELPS, HURTS) and row["p_equivalence"] <= ALPHA:
        return f"{row['verdict']}, by less than the margin"
    return str(row["verdict"])


def detectable_words(row: Mapping[Any, Any]) -> str:
    """The minimum detectable difference; none where it exceeds what is possible."""
    if not row["attainable"]:
        return "not attainable by this design"
    value = float(row["detectable"])
    return "none" if np.isinf(value) else number(value)


def class_verdicts(verdicts: pd.DataFrame, classes: Sequence[str]) -> Table:
    """Which class gains: difference in each class's sensitivity, with the verdict where there is.

    Args:
        verdicts: What `verdict_table` gives.
        classes: Labels, in the order of the columns.
    """
    judged = verdicts[verdicts["family"] == "class sensitivity"]
    rows: list[tuple[str, ...]] = []
    for model, part in judged.groupby("model", sort=False):
        rows.append((str(model),))
        for (arm, reference), pair in part.groupby(["arm", "reference"], sort=False):
            found = {row["scope"]: row for row in pair.to_dict("records")}
            cells = (_by_class(found[label]) for label in classes)
            rows.append((f"{arm} − {reference}", *cells))
    groups = judged.groupby("scope")["num_groups"].max()
    header = (f"{label} ({groups.get(label, 0):,})" for label in classes)
    caption = (
        "Difference in the sensitivity of each class, prior-adjusted (test groups in brackets), "
        "with a word where p is at most 0.05 after Holm's adjustment for all of this table; a "
        "number without a word is inconclusive, one in brackets is not judged: one training per "
        f"arm, or fewer than {FEWEST_GROUPS} groups. Intervals are in verdicts.csv."
    )
    return Table(caption, ("Comparison", *header), tuple(rows))


def _by_class(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["difference"]):
        return NONE
    text = signed(row["difference"])
    if np.isnan(row["p_holm"]):
        return f"({text})"
    return f"{text} {row['verdict']}" if row["verdict"] in (HELPS, HURTS, EQUIVALENT) else text
