"""Threats to validity that can be read off a run: what a sceptical reviewer would ask first."""

from collections.abc import Iterator

import pandas as pd

from dermaug.config.arms import ORACLE
from dermaug.experiment.comparisons import compare_arms, control_arm
from dermaug.experiment.curves import chosen_doses
from dermaug.experiment.results import CellResult, RunResults
from dermaug.experiment.scores import score_classes

FEW_LESIONS = 20
SEEN = 0.05
"""Sensitivity below which a class counts as never named."""
WON = 0.97
"""Mean probability of being real that a discriminator gives to real images once it has won."""


def threats(results: RunResults) -> list[str]:
    """Sentences, each one weakness of this run; empty when none is found."""
    checks = (_lesions, _repeats, _trainings, _doses, _unseen_classes, _oracles)
    return [sentence for check in checks for sentence in check(results)]


def _lesions(results: RunResults) -> Iterator[str]:
    if not results.catalog.grouped:
        yield (
            "Lesion ids are not known: each image counts as its own lesion, so views of one lesion "
            "may be in two parts of a fold, which inflates every score."
        )
    tested = [image for fold in results.folds for image in fold.test]
    table = results.catalog.table.iloc[results.catalog.rows(tested)]
    lesions = table.groupby("label")["lesion_id"].nunique()
    if few := [f"{label} ({count})" for label, count in lesions.items() if count < FEW_LESIONS]:
        yield (
            f"Few test lesions of {', '.join(few)}: their sensitivities, and with them the mean, "
            "rest on a handful of lesions."
        )


def _repeats(results: RunResults) -> Iterator[str]:
    experiment = results.experiment
    if len(experiment.seeds) == 1:
        yield "One classifier seed: how much training varies by chance cannot be seen."
    if any(arm.is_synthetic or arm.critic for arm in experiment.arms):
        single = [each.key for each in experiment.generators if len(each.seeds) == 1]
        if single:
            yield (
                f"One generator seed ({', '.join(single)}): another training of the generator "
                "might give other images and another answer."
            )
    if len(results.folds) == 1:
        yield "One fold: the answer is about one split into training and test lesions."


def _trainings(results: RunResults) -> Iterator[str]:
    unknown = {cell.arm for cell in results.cells if cell.manifest.get("provenance") == "unknown"}
    if unknown:
        yield f"Provenance unknown ({', '.join(sorted(unknown))}): leakage not excluded."
    for (arm, model), cells in _by_arm(results).items():
        if cells[0].manifest.get("critic"):
            continue  # its generator trained it: validation picked no checkpoint
        last = [cell.manifest["kept_images"] == cell.manifest["images"] for cell in cells]
        if len(last) > 0 and all(last):
            yield (
                f"{arm} with {model} was best on validation at the very end of every training: "
                "longer training might change the comparison."
            )
    yield from _curations(results)
    for generator in {one.folder: one for one in results.generators}.values():
        if generator.manifest.get("diagnosis"):
            yield (
                f"The training of {generator.family} for {generator.label} (fold "
                f"{generator.fold}, seed {generator.seed}) was stopped: "
                f"{generator.manifest['diagnosis']}; its best snapshot before that is used."
            )
        elif _discriminator_won(generator.journal):
            yield (
                f"{generator.family} of {generator.label} (fold {generator.fold}, seed "
                f"{generator.seed}) looks unhealthy: its discriminator told real from generated "
                "almost without error at the end."
            )


def _curations(results: RunResults) -> Iterator[str]:
    short = {
        f"{cell.arm} ({label})"
        for cell in results.cells
        for label, record in cell.manifest.get("curation", {}).items()
        if record["kept"] < record["wanted"]
    }
    if short:
        yield (
            f"Curation left fewer images than the dose: {', '.join(sorted(short))}; draw more with "
            "curation.pool."
        )


def _doses(results: RunResults) -> Iterator[str]:
    table = chosen_doses(results)
    if table.empty:
        return
    replays = {arm.curve for arm in results.experiment.arms if arm.replay_of}
    table = table[~table["curve"].isin(replays)]
    for (model, curve), points in table.groupby(["model", "curve"]):
        picked = points.loc[points["chosen"], "dose"].iloc[0]
        if len(points) > 1 and picked in (points["dose"].min(), points["dose"].max()):
            yield (
                f"The dose that validation picks for {curve} with {model} ({picked:,.0f}) lies at "
                "the edge of the curve: a dose beyond it might do better."
            )


def _unseen_classes(results: RunResults) -> Iterator[str]:
    """A class that the reference arm never names tells nothing of how well it could be told."""
    first = results.experiment.arms[0].name
    scores = score_classes(results)
    of_first = scores[scores["arm"] == first]
    for model, part in of_first.groupby("model", sort=False):
        means = part.groupby("label", sort=False)["sensitivity"].mean()
        if unseen := [str(label) for label, value in means.items() if value < SEEN]:
            yield (
                f"{first} with {model} hardly ever names {', '.join(unseen)} (sensitivity below "
                f"{SEEN:g}): any arm that shows these classes more often gains, whatever it shows."
            )


def _oracles(results: RunResults) -> Iterator[str]:
    """Where more real images show no gain, none of synthetic ones could be expected."""
    oracles = {
        arm.name
        for arm in results.experiment.arms
        if arm.synthetic is not None and arm.synthetic.source == ORACLE
    }
    if not oracles:
        return
    compared = compare_arms(results)
    compared = compared[compared["metric"] == "balanced_accuracy"]
    for row in compared[compared["arm"].isin(oracles)].to_dict("records"):
        if row["reference"] == control_arm(results, str(row["arm"])) and not row["low"] > 0:
            middle, low, high = (
                f"{row[name]:+.3f}".replace("-", "−")
                for name in ("pooled_difference", "low", "high")
            )
            yield (
                f"Even more real images ({row['arm']}) show no clear gain with {row['model']} "
                f"({middle}, 95 % interval {low} to {high}): synthetic ones could hardly show one "
                "in this study either."
            )


def _by_arm(results: RunResults) -> dict[tuple[str, str], list[CellResult]]:
    cells: dict[tuple[str, str], list[CellResult]] = {}
    for cell in results.cells:
        cells.setdefault((cell.arm, cell.model), []).append(cell)
    return cells


def _discriminator_won(journal: pd.DataFrame) -> bool:
    if "real_probability" not in journal or "fake_probability" not in journal:
        return False
    last = journal.iloc[-1]
    return bool(last["real_probability"] > WON and last["fake_probability"] < 1 - WON)
