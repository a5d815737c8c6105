"""What the trainings cost: minutes and images shown."""

import numpy as np

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Section, Table


def cost_section(results: RunResults) -> Section:
    """The table of `cost_table`."""
    return Section("cost", "Cost", [cost_table(results)])


def cost_table(results: RunResults) -> Table:
    """Minutes and images shown by stage, all data sizes together."""
    points = (results, *results.reduced)
    stages: list[tuple[str, list[tuple[int, float]]]] = []
    for generator in results.experiment.generators:
        trained = (one for point in points for one in point.networks)
        ours = (one.record for one in trained if one.family == generator.key)
        shown = [(one.images, one.seconds) for one in ours]
        stages.append((f"generator {generator.key}", shown))
    for classifier in results.experiment.classifiers:
        trials = (trial for point in points for trial in point.trials)
        mine = (trial.record.training for trial in trials if trial.model == classifier.key)
        shown = [(one.images, one.seconds) for one in mine if one is not None]
        stages.append((f"classifier {classifier.key}", shown))
    rows = []
    for name, trainings in stages:
        # Trainings that only check convergence are shorter: a row for each length.
        for images in sorted({each for each, _ in trainings}, reverse=True):
            seconds = [taken for each, taken in trainings if each == images]
            each, total = (f"{value / 60:.1f}" for value in (np.mean(seconds), sum(seconds)))
            rows.append((name, str(len(seconds)), f"{images:,}", each, total))
    header = ("Stage", "Trainings", "Images shown, each", "Minutes, each", "Minutes, total")
    caption = "Time of the trainings. Every arm of a comparison is shown the same number of images"
    checked = any(arm.convergence_of for arm in results.experiment.arms)
    caption += "; a shorter training only checks convergence." if checked else "."
    return Table(caption, header, tuple(rows))
