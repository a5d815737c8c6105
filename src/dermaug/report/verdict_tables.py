"""The verdicts as tables: each comparison as a whole, and class by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dermaug.report.tables import NONE, Table, number, signed
from dermaug.stats.tally import ALL
from dermaug.stats.verdicts import EXPLORATORY, HELPS, HURTS


def overall_verdicts(verdicts: pd.DataFrame) -> Table:
    """Verdict, difference in mean sensitivity, p after Holm and what the study could have seen.

    Args:
        verdicts: What `verdict_table` gives.
    """
    rows: list[tuple[str, ...]] = []
    for model, part in verdicts[verdicts["scope"] == ALL].groupby("model", sort=False):
        rows.append((str(model),))
        rows += [
            (
                f"{row['arm']} − {row['reference']}",
                str(row["verdict"]).replace(" ", "\N{NO-BREAK SPACE}"),
                f"{signed(row['difference'])} ({signed(row['low'])} to {signed(row['high'])})",
                number(float(row["p_holm"])),
                number(float(row["smallest_detectable"])),
                f"{row['num_cells']}",
            )
            for row in part.to_dict("records")
        ]
    numbers = ("Mean sensitivity (95 %)", "p after Holm", "would be found", "pairs")
    caption = (
        "First-named minus second. helps or hurts: p is at most 0.05 after Holm's adjustment for "
        "all comparisons judged in this table; the interval is not adjusted, so it may exclude "
        "zero where the verdict is no evidence. Would be found: the true difference that four in "
        "five studies like this one would find. Exploratory: a dose that validation did not pick, "
        "drawn, not judged and not counted."
    )
    return Table(caption, ("Comparison", "Verdict", *numbers), tuple(rows), texts=2)


def class_verdicts(verdicts: pd.DataFrame, classes: Sequence[str]) -> Table:
    """Which class gains: difference in each class's sensitivity, with the verdict where there is.

    Args:
        verdicts: What `verdict_table` gives.
        classes: Labels, in the order of the columns.
    """
    judged = verdicts[verdicts["verdict"] != EXPLORATORY]
    rows: list[tuple[str, ...]] = []
    for model, part in judged.groupby("model", sort=False):
        rows.append((str(model),))
        for (arm, reference), pair in part.groupby(["arm", "reference"], sort=False):
            found = {row["scope"]: row for row in pair.to_dict("records")}
            cells = (_by_class(found[label]) for label in classes)
            rows.append((f"{arm} − {reference}", *cells))
    lesions = judged.groupby("scope")["num_lesions"].max()
    header = (f"{label} ({lesions.get(label, 0):,})" for label in classes)
    caption = (
        "Difference in the sensitivity of each class (test lesions in brackets), with the word "
        "helps or hurts where p is at most 0.05 after Holm's adjustment for all of this table; a "
        "number without a word is no evidence. Intervals are in verdicts.csv."
    )
    return Table(caption, ("Comparison", *header), tuple(rows))


def _by_class(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["difference"]):
        return NONE
    word = f" {row['verdict']}" if row["verdict"] in (HELPS, HURTS) else ""
    return f"{signed(row['difference'])}{word}"
