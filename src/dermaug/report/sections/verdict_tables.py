"""The verdicts on each comparison, overall and class by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dermaug.data.class_names import class_words
from dermaug.evaluation.readouts import AUC
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Bullets, Details, Heading, Section, Table
from dermaug.report.formats import number, small, with_interval
from dermaug.scoring.scoring import Scoring
from dermaug.scoring.verdict_words import NONE, signed
from dermaug.stats.influence import SCORED
from dermaug.stats.outcomes import (
    ALPHA,
    EQUIVALENT,
    FEWEST_GROUPS,
    HELPS,
    HURTS,
    UNATTAINABLE,
)

_OVERALL = {"mean sensitivity": "Mean sensitivity, prior-adjusted", "macro AUC": "Macro AUC"}
_CAPTION = (
    "First-named minus second. Within its class every test image counts equally; intervals "
    "resample groups with all their images. Macro AUC is that of the probabilities at the uniform "
    "prior. helps, hurts: p is at most 0.05 after Holm's adjustment for all judged comparisons of "
    "this metric. equivalent: p of two one-sided tests against the margin is at most 0.05 after "
    "that adjustment ({margins}). inconclusive: neither. not judged: one training per arm in "
    "fewer than three folds. The interval is not adjusted, so it may exclude zero where the "
    "verdict is inconclusive. Detectable: the minimum detectable difference at 80 % power and the "
    "strictest step of Holm's rule, with the variation that the interval assumes; none: larger "
    "than possible."
)
_METHOD = (
    "An interval combines the test groups, which are resampled within folds and within their sets "
    "of classes, with the trainings. The variance of trainings is that of the paired differences "
    "of this study, moderated: the variance expected from earlier trainings enters with the weight "
    "of two further degrees of freedom, and a t distribution with the sum of both is used. With "
    "one training in each of three or more folds, the spread over folds takes the place of both. "
    "What is expected of a class follows from the level of its sensitivity; where its "
    "trainings agree better than that, its interval is wider than these trainings by themselves "
    "would suggest, and an inconclusive difference may then be a clear one. p-values, equivalence "
    "and detectable differences come from the same two parts. The documentation of dermaug has "
    "the equations (Statistics)."
)
_COMPARED = (
    ("prior-adjusted", "balanced_accuracy", "Mean sensitivity, prior-adjusted"),
    ("auc", "macro_auc", "Macro AUC"),
    ("argmax", "balanced_accuracy", "Mean sensitivity, argmax"),
    ("prior-adjusted", "mean_specificity", "Mean specificity, prior-adjusted"),
    *((name, f"macro_{name}", f"Macro {name}".replace("_", " ")) for name in SCORED if name != AUC),
)


def verdict_section(results: RunResults, scoring: Scoring) -> Section:
    """Verdicts overall and by class, and every contrast in every readout."""
    table = scoring.verdicts
    content: list[Block] = []
    if len(table):
        content = [
            overall_verdicts(table),
            class_verdicts(table, results.catalog.classes),
            *class_advice(scoring.advice),
            Details("How intervals and p-values are computed", [_METHOD]),
            Details(
                "Judged and exploratory comparisons, in three read-outs and in specificity",
                [comparison_table(table)],
            ),
        ]
    return Section("verdicts", "Verdicts", content)


def class_advice(advice: pd.DataFrame) -> list[Block]:
    """A sentence per class for each synthetic arm."""
    blocks: list[Block] = []
    for (model, arm, reference), rows in advice.groupby(["model", "arm", "reference"], sort=False):
        blocks.append(Heading(f"Class by class: {arm} against {reference}, {model}"))
        blocks.append(Bullets(tuple(rows["sentence"])))
    return blocks


def overall_verdicts(verdicts: pd.DataFrame) -> Table:
    """Verdicts on mean sensitivity and macro AUC, with the minimum detectable difference."""
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
        _CAPTION.format(margins=margins), (*header, "Detectable", "Pairs"), tuple(rows), texts=2
    )


def verdict_words(row: Mapping[Any, Any]) -> str:
    """The verdict as printed, with its qualification."""
    if row["verdict"] in (HELPS, HURTS) and row["p_equivalence"] <= ALPHA:
        return f"{row['verdict']}, by less than the margin"
    return str(row["verdict"])


def detectable_words(row: Mapping[Any, Any]) -> str:
    """The minimum detectable difference; "none" if it exceeds the largest possible one."""
    if not row["attainable"]:
        return "a gain is not attainable by this design"
    value = float(row["detectable"])
    return "none" if np.isinf(value) else number(value)


def class_verdicts(verdicts: pd.DataFrame, classes: Sequence[str]) -> Table:
    """Difference in the sensitivity of each class, with its verdict if it is judged."""
    judged = verdicts[verdicts["family"] == "class sensitivity"]
    rows: list[tuple[str, ...]] = []
    for model, part in judged.groupby("model", sort=False):
        rows.append((str(model),))
        for (arm, reference), pair in part.groupby(["arm", "reference"], sort=False):
            found = {row["scope"]: row for row in pair.to_dict("records")}
            cells = (_by_class(found[label]) for label in classes)
            rows.append((f"{arm} − {reference}", *cells))
    groups = judged.groupby("scope")["num_groups"].max()
    header = (f"{class_words(label)}, {groups.get(label, 0):,} groups" for label in classes)
    caption = (
        "Difference in the sensitivity of each class, prior-adjusted, "
        "with the verdict if p is at most 0.05 after Holm's adjustment for the whole table. "
        "Numbers without a verdict are inconclusive (*: "
        f"{UNATTAINABLE}; a loss might); "
        "numbers in parentheses are not judged: one "
        f"training per arm in fewer than three folds, or fewer than {FEWEST_GROUPS} groups. "
        "Differences of classes are judged with the variance that is usual among trainings: one "
        "that every training of this study agrees on may be clearer than it is called (see how "
        "intervals are computed)."
    )
    return Table(caption, ("Comparison", *header), tuple(rows), source="scoring/verdicts.csv")


def _by_class(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["difference"]):
        return NONE
    text = signed(row["difference"])
    if np.isnan(row["p_holm"]):
        return f"({text})"
    if row["verdict"] in (HELPS, HURTS, EQUIVALENT):
        return f"{text} {row['verdict']}"
    return text if row["attainable"] else f"{text}*"


def comparison_table(verdicts: pd.DataFrame) -> Table:
    """Every contrast in every readout, with intervals."""
    overall = verdicts[verdicts["scope"] == "all"]
    rows: list[tuple[str, ...]] = []
    for model, part in overall.groupby("model", sort=False):
        rows.append((str(model),))
        for (arm, reference, role), pair in part.groupby(["arm", "reference", "role"], sort=False):
            lines = {(row["readout"], row["metric"]): row for row in pair.to_dict("records")}
            first = next(iter(lines.values()))
            rows.append(
                (
                    f"{arm} − {reference}",
                    str(role),
                    *(with_interval(lines[readout, metric]) for readout, metric, _ in _COMPARED),
                    f"{first['num_pairs']:,}",
                )
            )
    levels = ", or ".join(overall["levels"].unique())
    header = ("Comparison", "Role of the comparison", *(words for *_, words in _COMPARED), "Pairs")
    caption = (
        "First-named minus second with 95 % intervals, not adjusted for the number of comparisons "
        f"and clipped to what is possible. They cover {levels}. Pairs: "
        "trainings of the same fold and seed. A difference at argmax that is absent from the other "
        "columns may be a moved threshold."
    )
    return Table(caption, header, tuple(rows), texts=2)
