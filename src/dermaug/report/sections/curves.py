"""Dose curves and data-size curves."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Figure, Section, Table
from dermaug.report.drawing import INK, colour, legend, marker, panels, short
from dermaug.report.formats import with_interval
from dermaug.report.tips import add_tips
from dermaug.scoring.scores import primary_words
from dermaug.scoring.scoring import Scoring
from dermaug.scoring.verdict_words import NONE


def curves(results: RunResults, scoring: Scoring) -> list[Figure]:
    """The dose curve and the data-size curve, if the study has them."""
    words = primary_words(results.experiment)
    drawn = [dose_response(scoring.doses, words)] if len(scoring.doses) else []
    return drawn + ([data_size(scoring.sizes, words)] if len(scoring.sizes) else [])


def curve_sections(results: RunResults, scoring: Scoring, drawn: Sequence[Figure]) -> list[Section]:
    """Sections on doses, and on data size and the equivalent of a dose."""
    words = primary_words(results.experiment)
    doses: list[Block] = [_dose_table(scoring.doses, words)] if len(scoring.doses) else []
    gains: list[Block] = [_gain_table(scoring.gains, words)] if len(scoring.gains) else []
    worth = "Data size and the equivalent of a dose"
    return [
        Section("doses", "Dose and response", doses),
        Section("sizes", worth, [*drawn, *gains]),
    ]


def dose_response(doses: pd.DataFrame, words: str) -> Figure:
    """Gain in the primary metric against the dose and its replay; the chosen dose is filled."""
    drawn = panels(doses, ["model"], "dose_response", (4.7, 3.2), _draw_doses, words=words)
    caption = (
        f"Difference in {words} to the arm without the dose, test split, 95 % interval. Filled: "
        "the dose selected on validation; the others are exploratory. A replay is a dose of the "
        "same size, drawn again from the real training images."
    )
    names = list(dict.fromkeys(doses["curve"]))
    return Figure("dose_response", caption, drawn, doses, legend(names), 400)


def data_size(sizes: pd.DataFrame, words: str) -> Figure:
    """The primary metric against the number of real training lesions, one line per arm.

    A dose curve is drawn as one line, with the dose selected on validation at each size.
    """
    drawn = sizes[sizes["chosen"]]
    drawn = drawn.assign(line=drawn["curve"].where(drawn["curve"] != "", drawn["arm"]))
    lines = list(dict.fromkeys(drawn["line"]))
    given: Any = {"lines": lines, "words": words}
    shown = panels(drawn, ["model"], "data_size", (4.7, 3.2), _draw_sizes, **given)
    caption = (
        f"{words[:1].upper()}{words[1:]} on the same test lesions by number of real training "
        "lesions, with 95 % intervals. Of several doses, only the one selected on validation at "
        "each size is shown."
    )
    return Figure("data_size", caption, shown, drawn, legend(lines), 400)


def _draw_doses(axes: Axes, rows: pd.DataFrame, model: str, words: str) -> str:
    axes.axhline(0.0, color=INK, linewidth=0.8)
    for place, (_, points) in enumerate(rows.groupby("curve", sort=False)):
        shift = 0.015 * place * float(rows["dose"].max())
        _draw_points(axes, points.sort_values("dose"), place, shift)
    axes.set(xlabel="Images added", ylabel=f"Difference in {words}", title=short(model, 40))
    return f"{model}: " + "; ".join(
        f"{row['dose']:,.0f} images {row['difference']:+.3f}" for row in rows.to_dict("records")
    )


def _draw_sizes(
    axes: Axes, rows: pd.DataFrame, model: str, lines: Sequence[str], words: str
) -> str:
    for place, line in enumerate(lines):
        points = rows[rows["line"] == line].sort_values("lesions")
        # Points of one size are shifted so that their intervals do not overlap.
        shifted = points["lesions"] * 1.03 ** (place - (len(lines) - 1) / 2)
        score = points["score"]
        errors = [score - points["low"], points["high"] - score]
        shade, mark = colour(place), marker(place)
        axes.errorbar(shifted, score, yerr=errors, color=shade, marker=mark, elinewidth=1.0)
        told = (
            f"{line}, {row['lesions']:,.0f} lesions: {row['score']:.3f} ({row['low']:.3f} to "
            f"{row['high']:.3f})"
            for row in points.to_dict("records")
        )
        add_tips(axes, shifted, score, told)
    axes.set_xscale("log")
    ticks = sorted(set(rows["lesions"]))
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="Real training lesions", ylabel=words[:1].upper() + words[1:])
    axes.set_title(short(model, 40))
    return f"{model}: " + "; ".join(
        f"{row['line']} {row['score']:.3f} on {row['lesions']:,.0f} lesions"
        for row in rows.to_dict("records")
    )


def _draw_points(axes: Axes, points: pd.DataFrame, place: int, shift: float) -> None:
    """Draw one curve, shifted slightly so that intervals of two curves do not overlap."""
    shade, doses = colour(place), points["dose"] + shift
    errors = [points["difference"] - points["low"], points["high"] - points["difference"]]
    axes.errorbar(doses, points["difference"], yerr=errors, color=shade, elinewidth=1.2)
    told = (
        f"{row['arm']}, {row['dose']:,.0f} images: {with_interval(row)}"
        for row in points.to_dict("records")
    )
    add_tips(axes, doses, points["difference"], told)
    for dose, row in zip(doses, points.to_dict("records"), strict=True):
        axes.plot(
            [dose],
            [row["difference"]],
            marker=marker(place),
            color=shade,
            markerfacecolor=shade if row["chosen"] else "white",
        )


def _dose_table(doses: pd.DataFrame, words: str) -> Table:
    rows = tuple(
        (
            f"{row['model']}: {row['arm']}" + (" (chosen)" if row["chosen"] else ""),
            f"{row['dose']:,.0f}",
            f"{row['validation']:.3f}",
            with_interval(row),
        )
        for row in doses.to_dict("records")
    )
    header = ("Dose", "Images added", "Validation", "Difference on test")
    caption = (
        f"Validation: {words} on the validation split, on which the dose is selected. Difference: "
        "on the test split, to the arm without the dose; exploratory for doses that were not "
        "selected."
    )
    return Table(caption, header, rows)


def _gain_table(gains: pd.DataFrame, words: str) -> Table:
    rows = tuple(
        (
            f"{row['model']}: {row['arm']} − {row['reference']}",
            f"{row['lesions']:,.0f}",
            with_interval(row),
            str(row["worth"]) or NONE,
        )
        for row in gains.to_dict("records")
    )
    header = ("Comparison", "Real lesions", f"Gain in {words}", "Equivalent in real lesions")
    caption = (
        "Equivalent of the dose: the number of additional real lesions with the same effect, from "
        "the data-size curve of the arm without the dose; 95 % intervals."
    )
    return Table(caption, header, rows)
