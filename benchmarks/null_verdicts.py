"""How often do equal arms get a verdict, and how often is a true difference found?

Run: uv run dermaug run benchmarks/null_verdicts.toml --data PATH --output RUN
     uv run python benchmarks/null_verdicts.py RUN [--data PATH] [--studies N]

Each study is a design (folds x seeds) of comparisons between networks that were trained alike,
drawn at random from the run: other seeds of one arm, or an arm and its replay under class-balanced
sampling, which shows every class as often. Every verdict on them is false. Shares are over studies;
since studies share networks, their standard errors are a jackknife over networks. Equivalence and
power are read off the same studies with a true difference added to what was observed.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rounds import Data, machine, start

from dermaug.config import Experiment
from dermaug.evaluation.readouts import ADJUSTED, AUC
from dermaug.experiment.run.identity import moved_data, read_run_experiment
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.results import RunResults
from dermaug.experiment.run.run import prepare_run
from dermaug.scoring.decisions import measured
from dermaug.scoring.points import point_of
from dermaug.scoring.samples import predictions_of
from dermaug.stats.answers import FoldAnswers, answers_of
from dermaug.stats.hierarchy import Comparison, estimate_all
from dermaug.stats.metrics import ALL, Metric, MetricSet, metrics_of, readout_metrics
from dermaug.stats.multiplicity import holm
from dermaug.stats.outcomes import ALPHA, FEWEST_GROUPS
from dermaug.stats.spread import PLAIN

DESIGNS = ((1, 2), (2, 2), (1, 3), (3, 1), (5, 1), (5, 2))
"""Folds and seeds."""
PAIRS = {"other seeds": ("classic", "classic"), "replay": ("balanced+replay", "balanced")}
RESAMPLES = 400
GAIN = 0.05
Network = tuple[str, int, int]
"""Arm, fold and seed."""
Studies = Annotated[int, typer.Option(min=10, help="Studies of each design.")]


@dataclass(frozen=True)
class Verdicts:
    """What one study of equal arms was told.

    Args:
        networks: That took part.
        families: Whether mean sensitivity, macro AUC and any class got a verdict.
        width: Of the 95 % interval of mean sensitivity, prior-adjusted.
        narrowest: Width of the narrowest interval of all metrics.
        equivalent: Whether arms that truly differ by the margin were called equivalent.
        found: Whether a true gain of `GAIN` in mean sensitivity was found.
    """

    networks: frozenset[Network]
    families: tuple[bool, bool, bool]
    width: float
    narrowest: float
    equivalent: bool
    found: bool


def main(run: Path, data: Data = None, studies: Studies = 300) -> None:
    """Print the table of docs/statistics.md, and the spread of trainings."""
    results = read_run(run, data)
    (model,) = (each.key for each in results.experiment.classifiers)
    answers = answers_of(predictions_of(results, model))
    margin = results.experiment.verdict.margin.balanced_accuracy
    table = Table(title=f"{run}: {studies} studies per row", caption=machine())
    for column in (
        "pairs", "folds x seeds", "mean sensitivity", "macro AUC", "any class", "interval",
        "narrowest", f"equivalent at {margin:g}", f"found at {GAIN:g}",
    ):  # fmt: skip
        table.add_column(column)
    for (name, arms), (folds, seeds) in itertools.product(PAIRS.items(), DESIGNS):
        random = np.random.default_rng(folds * 100 + seeds)
        there = able(answers, arms, seeds)
        if len(there) < folds:
            table.add_row(name, f"{folds} x {seeds}", f"too few networks in {len(there)} folds")
            continue
        told = [
            judged(comparison, networks, results.catalog.classes, margin)
            for comparison, networks in drawn(there, arms, folds, seeds, studies, random)
        ]
        table.add_row(name, f"{folds} x {seeds}", *figures(told))
    Console(width=130, highlight=False).print(table)
    for found, metrics in (
        (answers, readout_metrics(results.catalog.classes)),
        *measured(point_of(results.compared, RESAMPLES), model),
    ):
        print_spread(found, metrics)


def read_run(folder: Path, data: Path | None) -> RunResults:
    """A finished run; its data set may lie elsewhere by now."""
    begun: Experiment = moved_data(folder, read_run_experiment(folder), data)
    return read_results(prepare_run(folder, begun))


def able(
    answers: dict[int, FoldAnswers], arms: tuple[str, str], seeds: int
) -> dict[int, FoldAnswers]:
    """Folds with networks enough for so many pairs; an unfinished run has fewer."""
    arm, other = arms
    needed = 2 * seeds if arm == other else seeds
    return {
        fold: found for fold, found in answers.items() if len(paired_seeds(found, arms)) >= needed
    }


def paired_seeds(found: FoldAnswers, arms: tuple[str, str]) -> list[int]:
    """Seeds that both arms were trained with."""
    seeds = [{seed for name, seed in found.answers if name == arm} for arm in arms]
    return sorted(seeds[0] & seeds[1])


def drawn(
    answers: dict[int, FoldAnswers],
    arms: tuple[str, str],
    folds: int,
    seeds: int,
    studies: int,
    random: np.random.Generator,
) -> Iterator[tuple[Comparison, frozenset[Network]]]:
    """Studies with their networks: in each fold, pairs of networks that share none."""
    arm, other = arms
    for _ in range(studies):
        comparison, networks = {}, set[Network]()
        for fold in random.choice(sorted(answers), folds, replace=False).tolist():
            chosen = random.permutation(paired_seeds(answers[fold], arms)).tolist()
            # A replay is paired with the arm of the same seed, as a study does.
            second = chosen[:seeds]
            first = chosen[seeds : 2 * seeds] if arm == other else second
            pairs = [((arm, a), (other, b)) for a, b in zip(first, second, strict=True)]
            comparison[fold] = answers[fold].paired(pairs)
            networks |= {(name, fold, seed) for pair in pairs for name, seed in pair}
        yield comparison, frozenset(networks)


def judged(
    comparison: Comparison, networks: frozenset[Network], classes: Sequence[str], margin: float
) -> Verdicts:
    """The verdicts of one study, by the rules of `dermaug.scoring.verdicts`."""
    (found,) = estimate_all([comparison], readout_metrics(classes), RESAMPLES)
    places = {metric: place for place, metric in enumerate(metrics_of(classes))}
    mean = found.at(places[Metric(ADJUSTED, ALL, "balanced_accuracy")])
    area = found.at(places[Metric(AUC, ALL, "macro_auc")])
    each = [places[Metric(ADJUSTED, label, "sensitivity")] for label in classes]
    each = [place for place in each if found.groups[place] >= FEWEST_GROUPS]
    p_classes = holm(found.p_value()[each])
    low, high = found.interval()
    known = (found.groups >= FEWEST_GROUPS) & ~np.isnan(low)
    return Verdicts(
        networks,
        (
            bool(mean.p_value()[0] <= ALPHA),
            bool(area.p_value()[0] <= ALPHA),
            bool((p_classes <= ALPHA).any()),
        ),
        float(np.diff(mean.interval()[:, 0])[0]),
        float((high - low)[known].min()),
        bool(mean.moved(margin).equivalence_p(margin)[0] <= ALPHA),
        bool(mean.moved(GAIN).p_value()[0] <= ALPHA),
    )


def figures(told: Sequence[Verdicts]) -> list[str]:
    """Columns of one row of the table."""
    shares = [share(told, [study.families[k] for study in told]) for k in range(3)]
    return [
        *shares,
        f"± {np.median([study.width for study in told]) / 2:.3f}",
        f"{min(study.narrowest for study in told):.4f}",
        share(told, [study.equivalent for study in told]),
        f"{100 * np.mean([study.found for study in told]):.0f} %",
    ]


def share(told: Sequence[Verdicts], hits: Sequence[bool]) -> str:
    """Share of studies, with the standard error of a jackknife over networks."""
    everyone = sorted(frozenset().union(*(study.networks for study in told)))
    values = np.array(hits, dtype=float)
    without = np.array(
        [
            values[kept].mean()
            for network in everyone
            for kept in [np.array([network not in study.networks for study in told])]
            if kept.any()
        ]
    )
    if not len(without):
        return f"{100 * values.mean():.1f} %"
    spread = (len(without) - 1) / len(without) * ((without - without.mean()) ** 2).sum()
    return f"{100 * values.mean():.1f} ± {100 * np.sqrt(spread):.1f} %"


def print_spread(answers: Mapping[int, FoldAnswers], metrics: MetricSet) -> None:
    """SD of the difference between two trainings on one fold: `dermaug.stats.spread.SPREAD`."""
    table = Table(title="spread of trainings (classes on the logit scale)")
    arms = sorted({arm for found in answers.values() for arm, _ in found.answers})
    for column in ("readout", "metric", *arms):
        table.add_column(column)
    columns = [spreads(answers, metrics, arm) for arm in arms]
    for readout, metric in dict.fromkeys(key for column in columns for key in column):
        numbers = (f"{column.get((readout, metric), np.nan):.4f}" for column in columns)
        table.add_row(readout, metric, *numbers)
    Console(width=100, highlight=False).print(table)


def spreads(
    answers: Mapping[int, FoldAnswers], metrics: MetricSet, arm: str
) -> dict[tuple[str, str], float]:
    """Root mean square over folds and classes of the SD over seeds, times the root of two."""
    variances: dict[tuple[str, str], list[float]] = {}
    scopes = list(dict.fromkeys(each.scope for each in metrics.metrics if each.scope != ALL))
    for found in answers.values():
        own = [each.values for (name, _), each in found.answers.items() if name == arm]
        if len(own) < 2:
            continue
        weights = np.nan_to_num(metrics.weights(found.asked.sum(axis=0)))
        values = np.einsum("srk,mrk->sm", np.nan_to_num(np.stack(own)), weights)
        groups = (found.asked > 0).sum(axis=0)  # 2 k
        for metric, level in zip(metrics.metrics, values.T, strict=True):
            if metric.scope != ALL and metric.metric not in PLAIN:
                side = int(metric.metric == "specificity")
                number = groups[side, scopes.index(metric.scope)]
                inside = (level * number + 0.5) / (number + 1)
                level = np.log(inside / (1 - inside))
            key = metric.readout, metric.metric
            variances.setdefault(key, []).append(float(level.var(ddof=1)))
    return {key: float(np.sqrt(2 * np.mean(each))) for key, each in variances.items()}


if __name__ == "__main__":
    start(main)
