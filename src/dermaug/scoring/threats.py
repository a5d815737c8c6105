"""Threats to validity that can be read off a run: what a sceptical reviewer would ask first."""

from collections.abc import Iterator

import pandas as pd

from dermaug.config.arms import ORACLE
from dermaug.experiment.plan.comparisons import BASELINE, NEGATIVE, Contrast, contrasts, control_arm
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.curves import chosen_doses, primary_metric
from dermaug.scoring.effects import effects_of, place_of
from dermaug.scoring.scores import score_classes
from dermaug.scoring.verdict_words import p_words, signed
from dermaug.stats.outcomes import ALPHA

FEW_LESIONS = 20
SEEN = 0.05
"""Sensitivity below which a class counts as never named."""
WON = 0.97
"""Mean probability of being real that a discriminator gives to real images once it has won."""


def threats(results: RunResults) -> list[str]:
    """Sentences, each one weakness of this run; empty when none is found."""
    checks = (
        _lesions,
        _repeats,
        _trainings,
        _doses,
        _unseen_classes,
        _more_lesions,
        _negative_controls,
    )
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
    unknown = {
        trial.arm for trial in results.trials if trial.manifest.get("provenance") == "unknown"
    }
    if unknown:
        yield f"Provenance unknown ({', '.join(sorted(unknown))}): leakage not excluded."
    if not any(arm.convergence_of for arm in results.experiment.arms):
        yield (
            "Whether the baseline has converged was not measured (check_convergence): longer "
            "training might change every comparison."
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
        f"{trial.arm} ({label})"
        for trial in results.trials
        for label, record in trial.manifest.get("curation", {}).items()
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
                f"{first} with {model} hardly ever names {', '.join(unseen)} at argmax "
                f"(sensitivity below {SEEN:g}): any arm that shows these classes more often gains "
                "there, whatever it shows; read the prior-adjusted numbers."
            )


def _more_lesions(results: RunResults) -> Iterator[str]:
    """Where more real images show no gain, none of synthetic ones could be expected."""
    arms = {arm.name: arm for arm in results.experiment.arms}
    more = tuple(
        Contrast(reference, name, BASELINE) if arm.half else Contrast(name, reference, BASELINE)
        for name, arm in arms.items()
        if arm.half or (arm.synthetic is not None and arm.synthetic.source == ORACLE)
        for reference in [control_arm(results, name)]
        if reference is not None
    )
    place = place_of(results, primary_metric(results)) if more else 0
    for effect in effects_of(results, more) if more else ():
        low, high = effect.estimate.at(place).interval()[:, 0].clip(-1.0, 1.0)
        if not low > 0 and effect.estimate.is_judged:
            yield (
                f"More real lesions ({effect.contrast.arm} against {effect.contrast.reference}) "
                f"show no clear gain with {effect.model} "
                f"({signed(float(effect.estimate.value[place]))}, 95 % interval "
                f"{signed(float(low))} to {signed(float(high))}): synthetic images could hardly "
                "show one in this study either."
            )


def _negative_controls(results: RunResults) -> Iterator[str]:
    """A replay that changes nothing of what is shown must not differ from its baseline."""
    pairs = tuple(pair for pair in contrasts(results) if pair.role == NEGATIVE)
    place = place_of(results, primary_metric(results)) if pairs else 0
    for effect in effects_of(results, pairs) if pairs else ():
        p = float(effect.estimate.at(place).p_value()[0]) if effect.estimate.is_judged else 1.0
        if p <= ALPHA:
            yield (
                f"The negative control {effect.contrast.arm} differs from "
                f"{effect.contrast.reference} with {effect.model} "
                f"({signed(float(effect.estimate.value[place]))}, {p_words(p)}, not adjusted), "
                "although both are shown every class as often: either this is the one such result "
                "in twenty, or trainings vary more than the interval says."
            )


def _discriminator_won(journal: pd.DataFrame) -> bool:
    if "real_probability" not in journal or "fake_probability" not in journal:
        return False
    last = journal.iloc[-1]
    return bool(last["real_probability"] > WON and last["fake_probability"] < 1 - WON)
