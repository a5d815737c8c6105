"""The report's sections on doses, data sizes and external tests: tables, figures and CSVs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd
from matplotlib.axes import Axes

from dermaug.experiment.run.results import RunResults
from dermaug.report import figures
from dermaug.report.figures import Figure, Panel, drawing, file_name, svg
from dermaug.report.tables import Table, comparison_table, score_table, with_interval
from dermaug.scoring.scores import primary_words
from dermaug.scoring.scoring import Scoring


@dataclass(frozen=True, eq=False)
class CurveSections:
    """What the sections hold; empty where the run has no numbers for them.

    Args:
        figures: Figures by name.
        doses: Points of the dose curves.
        gains: Gain and worth of the dose at each number of lesions.
        external: For each external data set the scores, then the differences of arms.
    """

    figures: dict[str, Figure] = field(default_factory=dict)
    doses: Table | None = None
    gains: Table | None = None
    external: list[Table] = field(default_factory=list)


def curve_sections(results: RunResults, scoring: Scoring) -> CurveSections:
    """Work out the curves of a run, and set them as tables and figures."""
    arms = [arm.name for arm in results.experiment.compared_arms]
    words = primary_words(results.experiment)
    doses, sizes, gains = scoring.doses, scoring.sizes, scoring.gains
    outside, apart = scoring.external, scoring.external_differences
    drawn: dict[str, Figure] = {}
    if len(doses):
        drawn["dose_response"] = dose_response(doses, words)
    if len(sizes):
        drawn["data_size"] = data_size(sizes, words)
    return CurveSections(
        drawn,
        _dose_table(doses, words) if len(doses) else None,
        _gain_table(gains, words) if len(gains) else None,
        _external_tables(outside, apart, arms) if len(outside) else [],
    )


def dose_response(doses: pd.DataFrame, words: str) -> Figure:
    """Gain in the primary metric against the dose and its replay; the chosen one is filled."""
    panels = []
    for index, (model, rows) in enumerate(doses.groupby("model", sort=False)):
        with drawing(4.7, 3.2) as axes:
            axes.axhline(0.0, color=figures.INK, linewidth=0.8)
            for place, (_, points) in enumerate(rows.groupby("curve", sort=False)):
                shift = 0.015 * place * float(rows["dose"].max())
                _draw_points(axes, points.sort_values("dose"), place, shift)
            axes.set_xlabel("images added")
            axes.set_ylabel(f"difference in {words}")
            axes.set_title(figures.short(str(model), 40))
            alt = f"{model}: " + "; ".join(
                f"{row['dose']:,.0f} images {row['difference']:+.3f}"
                for row in rows.to_dict("records")
            )
            panels.append(Panel(file_name("dose_response", index, model), alt, svg(axes)))
    caption = (
        f"Difference in {words} to the arm without the dose, test part, 95 % interval. "
        "Filled: the dose that validation picks; the others are exploratory. A replay is the same "
        "dose of real training images shown again."
    )
    names = list(dict.fromkeys(doses["curve"]))
    return Figure("dose_response", caption, tuple(panels), doses, figures.legend(names), 400)


def data_size(sizes: pd.DataFrame, words: str) -> Figure:
    """The primary metric against the number of real training lesions, one line per arm.

    Of a dose curve, the dose that validation picks at each size makes one line.
    """
    drawn = sizes[sizes["chosen"]]
    drawn = drawn.assign(line=drawn["curve"].where(drawn["curve"] != "", drawn["arm"]))
    lines = list(dict.fromkeys(drawn["line"]))
    panels = []
    for index, (model, rows) in enumerate(drawn.groupby("model", sort=False)):
        with drawing(4.7, 3.2) as axes:
            for place, line in enumerate(lines):
                points = rows[rows["line"] == line].sort_values("lesions")
                # Side by side, or the intervals of one size would hide each other.
                shifted = points["lesions"] * 1.03 ** (place - (len(lines) - 1) / 2)
                score = points["score"]
                axes.errorbar(
                    shifted,
                    score,
                    yerr=[score - points["low"], points["high"] - score],
                    color=figures.colour(place),
                    marker=figures.marker(place),
                    elinewidth=1.0,
                )
            axes.set_xscale("log")
            ticks = sorted(set(rows["lesions"]))
            axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
            axes.minorticks_off()
            axes.set_xlabel("real training lesions")
            axes.set_ylabel(words)
            axes.set_title(figures.short(str(model), 40))
            alt = f"{model}: " + "; ".join(
                f"{row['line']} {row['score']:.3f} on {row['lesions']:,.0f} lesions"
                for row in rows.to_dict("records")
            )
            panels.append(Panel(file_name("data_size", index, model), alt, svg(axes)))
    caption = (
        f"{words.capitalize()} on the same test lesions against the real lesions trained on; 95 % "
        "intervals. Of several doses, the one that validation picks at each size."
    )
    return Figure("data_size", caption, tuple(panels), drawn, figures.legend(lines), 400)


def _draw_points(axes: Axes, points: pd.DataFrame, place: int, shift: float) -> None:
    """One curve, moved aside a little: intervals of two curves must not hide each other."""
    colour, doses = figures.colour(place), points["dose"] + shift
    errors = [points["difference"] - points["low"], points["high"] - points["difference"]]
    axes.errorbar(doses, points["difference"], yerr=errors, color=colour, elinewidth=1.2)
    for dose, row in zip(doses, points.to_dict("records"), strict=True):
        axes.plot(
            [dose],
            [row["difference"]],
            marker=figures.marker(place),
            color=colour,
            markerfacecolor=colour if row["chosen"] else "white",
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
        f"Validation: {words} on the validation part, which picks the dose. Difference: the same "
        "on the test part against the arm without the dose; exploratory for doses "
        "that were not chosen."
    )
    return Table(caption, header, rows)


def _gain_table(gains: pd.DataFrame, words: str) -> Table:
    rows = tuple(
        (
            f"{row['model']}: {row['arm']} − {row['reference']}",
            f"{row['lesions']:,.0f}",
            with_interval(row),
            str(row["worth"]) or "–",
        )
        for row in gains.to_dict("records")
    )
    header = ("Comparison", "Real lesions", f"Gain in {words}", "Worth in real lesions")
    caption = (
        "What the dose is worth: the extra real lesions that would have raised it as "
        "much, read off the learning curve of the arm without the dose; 95 % intervals."
    )
    return Table(caption, header, rows)


def _external_tables(
    outside: pd.DataFrame, apart: pd.DataFrame, arms: Sequence[str]
) -> list[Table]:
    tables = []
    for path, part in outside.groupby("data", sort=False):
        found = [score_table(part, arms)]
        if len(apart) and (apart["data"] == path).any():
            found.append(comparison_table(apart[apart["data"] == path]))
        tables += [replace(table, caption=f"{path}. {table.caption}") for table in found]
    return tables
