"""The report's sections on doses, data sizes and external tests: tables, figures and CSVs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from dermaug.experiment.curves import dose_curve, gain_curve, size_curve
from dermaug.experiment.external_scores import score_external
from dermaug.experiment.results import RunResults
from dermaug.report import figures
from dermaug.report.figures import Figure, Panel, drawing, file_name, svg
from dermaug.report.tables import Table, score_table, signed


@dataclass(frozen=True, eq=False)
class CurveSections:
    """What the sections hold; empty where the run has no numbers for them.

    Args:
        numbers: Stem of a CSV file beside the page -> its table.
        figures: Figures by name.
        doses: Points of the dose curves.
        gains: Gain and worth of the dose at each number of lesions.
        external: A table for each external data set.
    """

    numbers: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    doses: Table | None = None
    gains: Table | None = None
    external: list[Table] = field(default_factory=list)


def curve_sections(results: RunResults) -> CurveSections:
    """Work out the curves of a run, and set them as tables and figures."""
    arms = [arm.name for arm in results.experiment.arms]
    doses, sizes, gains = dose_curve(results), size_curve(results), gain_curve(results)
    outside = score_external(results)
    named = {"doses": doses, "sizes": sizes, "gains": gains, "external": outside}
    numbers = {name: table for name, table in named.items() if len(table)}
    drawn: dict[str, Figure] = {}
    if len(doses):
        drawn["dose_response"] = dose_response(doses)
    if len(sizes):
        drawn["data_size"] = data_size(sizes, arms)
    return CurveSections(
        numbers,
        drawn,
        _dose_table(doses) if len(doses) else None,
        _gain_table(gains) if len(gains) else None,
        _external_tables(outside, arms) if len(outside) else [],
    )


def dose_response(doses: pd.DataFrame) -> Figure:
    """Gain in balanced accuracy against the dose; the chosen one is filled."""
    panels = []
    for index, (model, rows) in enumerate(doses.groupby("model", sort=False)):
        with drawing(4.7, 3.2) as axes:
            axes.axhline(0.0, color=figures.INK, linewidth=0.8)
            for place, (curve, points) in enumerate(rows.groupby("curve", sort=False)):
                _draw_points(axes, points.sort_values("dose"), place, str(curve))
            axes.set_xlabel("images added")
            axes.set_ylabel("difference in mean sensitivity")
            axes.set_title(figures.short(str(model), 40))
            alt = f"{model}: " + "; ".join(
                f"{row['dose']:,.0f} images {row['difference']:+.3f}"
                for row in rows.to_dict("records")
            )
            panels.append(Panel(file_name("dose_response", index, model), alt, svg(axes)))
    caption = (
        "Difference in mean sensitivity to the arm without the dose, test part, 95 % interval. "
        "Filled: the dose that validation picks; the others are exploratory."
    )
    names = list(dict.fromkeys(doses["curve"]))
    return Figure("dose_response", caption, tuple(panels), doses, figures.legend(names), 400)


def data_size(sizes: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """Balanced accuracy against the number of real training lesions, one line an arm."""
    panels = []
    for index, (model, rows) in enumerate(sizes.groupby("model", sort=False)):
        with drawing(4.7, 3.2) as axes:
            for place, arm in enumerate(arms):
                points = rows[rows["arm"] == arm].sort_values("lesions")
                line = (points["lesions"], points["balanced_accuracy"])
                axes.plot(*line, color=figures.colour(place), marker=figures.marker(place))
                band = (points["lesions"], points["low"], points["high"])
                axes.fill_between(*band, alpha=0.12, color=figures.colour(place), linewidth=0.0)
            axes.set_xscale("log")
            axes.set_xlabel("real training lesions")
            axes.set_ylabel("mean sensitivity")
            axes.set_title(figures.short(str(model), 40))
            alt = f"{model}: mean sensitivity of each arm against real training lesions"
            panels.append(Panel(file_name("data_size", index, model), alt, svg(axes)))
    caption = "Mean sensitivity on the same test lesions against the real lesions trained on; 95 %."
    return Figure("data_size", caption, tuple(panels), sizes, figures.legend(arms), 400)


def _draw_points(axes: Axes, points: pd.DataFrame, place: int, curve: str) -> None:
    colour = figures.colour(place)
    errors = [points["difference"] - points["low"], points["high"] - points["difference"]]
    axes.errorbar(
        points["dose"], points["difference"], yerr=errors, color=colour, marker="", label=curve
    )
    for row in points.to_dict("records"):
        axes.plot(
            [row["dose"]],
            [row["difference"]],
            marker=figures.marker(place),
            color=colour,
            markerfacecolor=colour if row["chosen"] else "white",
        )


def _dose_table(doses: pd.DataFrame) -> Table:
    rows = tuple(
        (
            f"{row['model']}: {row['arm']}" + (" (chosen)" if row["chosen"] else ""),
            f"{row['dose']:,.0f}",
            f"{row['validation']:.3f}",
            _interval(row),
        )
        for row in doses.to_dict("records")
    )
    header = ("Dose", "Images added", "Validation", "Difference on test")
    caption = (
        "Validation: mean sensitivity on the validation part, which picks the dose. Difference: "
        "mean sensitivity on the test part against the arm without the dose; exploratory for doses "
        "that were not chosen."
    )
    return Table(caption, header, rows)


def _gain_table(gains: pd.DataFrame) -> Table:
    rows = tuple(
        (
            f"{row['model']}: {row['arm']} − {row['reference']}",
            f"{row['lesions']:,.0f}",
            _interval(row),
            str(row["worth"]) or "–",
        )
        for row in gains.to_dict("records")
    )
    header = ("Comparison", "Real lesions", "Gain in mean sensitivity", "Worth in real lesions")
    caption = (
        "What the dose is worth: the extra real lesions that would have raised mean sensitivity as "
        "much, read off the learning curve of the arm without the dose; 95 % intervals."
    )
    return Table(caption, header, rows)


def _interval(row: Mapping[Any, Any]) -> str:
    return f"{signed(row['difference'])} ({signed(row['low'])} to {signed(row['high'])})"


def _external_tables(outside: pd.DataFrame, arms: Sequence[str]) -> list[Table]:
    tables = []
    for path, part in outside.groupby("data", sort=False):
        table = score_table(part, arms)
        tables.append(Table(f"{path}. {table.caption}", table.header, table.rows))
    return tables
