"""Threats to validity that can be read off a run: the first questions of a sceptical reviewer."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from dermaug.data.halves import LEAST_GROUPS
from dermaug.experiment.plan.comparisons import NEGATIVE, REPLAY, more_lesions
from dermaug.experiment.run.records import CurationEntry
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.convergence import REACHED, convergence_words
from dermaug.scoring.data_threats import data_threats
from dermaug.scoring.scores import primary_rows
from dermaug.scoring.verdict_words import p_words, signed
from dermaug.stats.outcomes import ALPHA
from dermaug.stats.trainings import GROUPS_ONLY

SEEN = 0.05
"""Sensitivity below which a class counts as never predicted."""
WON = 0.97
"""Mean probability of "real" for real images above which the discriminator has won."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is checked: a run, and the tables of `Scoring` of these names."""

    results: RunResults
    verdicts: pd.DataFrame
    class_scores: pd.DataFrame
    doses: pd.DataFrame
    convergence: pd.DataFrame


def threats(known: Known) -> pd.DataFrame:
    """One row per weakness of a run, in a column `sentence`; empty when none is found."""
    checks = (
        *(_repeats, _trainings, _short_generators),
        *(_doses, _unseen_classes, _more_lesions, _negative_controls),
    )
    found = [*data_threats(known.results), *(each for check in checks for each in check(known))]
    return pd.DataFrame({"sentence": found}, dtype=str)


def _short_generators(known: Known) -> Iterator[str]:
    """Find generators that were shown fewer images than their training set has."""
    shown = [
        f"{each.family} of {each.drawn_classes} (fold {each.fold}, seed {each.seed}): "
        f"{each.record.images:,} of {each.record.training_images:,}"
        for each in known.results.networks
        if each.record.images < each.record.training_images
    ]
    if shown:
        yield (
            "A generator was shown fewer images than its training set has: "
            f"{'; '.join(shown)}. Its images say little about longer trainings."
        )


def _repeats(known: Known) -> Iterator[str]:
    results = known.results
    experiment = results.experiment
    if len(experiment.seeds) == 1:
        yield "One classifier seed: the variation between trainings cannot be estimated."
    if any(arm.is_synthetic or arm.discriminator for arm in experiment.arms):
        single = [each.key for each in experiment.generators if len(each.seeds) == 1]
        if single:
            yield (
                f"One generator seed ({', '.join(single)}): another training of the generator "
                "might give other images and another answer."
            )
    if len(results.folds) == 1:
        yield "One fold: the answer is about one split into training and test lesions."
    elif len(results.folds) < experiment.splits.folds:
        yield (
            f"{len(results.folds)} of {experiment.splits.folds} folds: the lesions of the other "
            "folds were not tested."
        )


def _trainings(known: Known) -> Iterator[str]:
    results = known.results
    yield from _provenances(results)
    if not any(arm.convergence_of for arm in results.experiment.arms):
        yield (
            "Whether the baseline has converged was not measured (check_convergence): longer "
            "training might change every comparison."
        )
    for (model, arm), part in known.convergence.groupby(["model", "arm"], sort=False):
        words, state = convergence_words(f"{arm} with {model}", part)
        if state != REACHED:
            yield f"{words} (see the answer)."
    yield from _curations(results)
    for generator in results.networks:
        if generator.record.diagnosis:
            yield (
                f"The training of {generator.family} for {generator.drawn_classes} (fold "
                f"{generator.fold}, seed {generator.seed}) was stopped: "
                f"{generator.record.diagnosis}; its best snapshot before that is used."
            )
        elif _discriminator_won(generator.journal):
            yield (
                f"{generator.family} of {generator.drawn_classes} (fold {generator.fold}, seed "
                f"{generator.seed}) looks unhealthy: at the end its discriminator distinguished "
                "real from generated images almost without error."
            )


def _provenances(results: RunResults) -> Iterator[str]:
    """Find images of other tools, whose training nobody can check."""
    unknown = {trial.arm for trial in results.trials if trial.record.provenance == "unknown"}
    if unknown:
        yield (
            f"Provenance unknown ({', '.join(sorted(unknown))}): leakage not excluded. The tool "
            "that drew these images may have seen test lesions."
        )
    declared = {trial.arm for trial in results.trials if trial.record.provenance == "declared"}
    for arm in results.experiment.arms:
        if arm.name in declared and arm.synthetic and arm.synthetic.provenance:
            yield (
                f"Provenance declared by the user ({arm.name}): {arm.synthetic.provenance.words}. "
                "It was not checked; if it is not so, leakage is not excluded."
            )


def _curations(results: RunResults) -> Iterator[str]:
    entries = results.curation
    short = [
        f"{arm} ({label}): {sum(min(each.kept, each.wanted) for each in own) / len(own):,.0f} of "
        f"{sum(each.wanted for each in own) / len(own):,.0f}"
        for (arm, label), own in sorted(entries.items())
        if any(each.kept < each.wanted for each in own)
    ]
    if short:
        yield (
            f"Curation left fewer images than the dose, mean over trials: {'; '.join(short)}. The "
            "verdict is on what was left. A larger curation.pool gives more where some images pass."
        )
    yield from _copies_left_in(results)
    yield from _strict_confidence(entries)


def copies_left_in(results: RunResults) -> dict[tuple[str, str], tuple[int, int]]:
    """Classes of which copies could not be left out, because they have too few lesions.

    Returns:
        (arm, label) -> in how many trainings, and how many ask for it.
    """
    asked, left_in = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for trial in results.trials:
        synthetic = trial.record.arm.synthetic
        if synthetic and synthetic.curation and synthetic.curation.drop_copies:
            for label, entry in trial.record.curation.items():
                asked[trial.arm, label] += 1
                left_in[trial.arm, label] += entry.copies is None
    return {place: (left_in[place], asked[place]) for place in asked if left_in[place]}


def _copies_left_in(results: RunResults) -> Iterator[str]:
    found = copies_left_in(results).items()
    if named := [f"{arm} ({label}): {left} of {all_}" for (arm, label), (left, all_) in found]:
        yield (
            "Copies of training images could not be left out in some trainings, although the arm "
            f"asks for it: {'; '.join(named)}. In their folds the class has fewer than "
            f"{LEAST_GROUPS} {results.catalog.unit}s in the validation split, too few to compare "
            "with; these classifiers were trained on the images as they were drawn."
        )


def _strict_confidence(entries: Mapping[tuple[str, str], Sequence[CurationEntry]]) -> Iterator[str]:
    """Find classes of which the rule on confidence rejects most real images, too."""
    strict = []
    for (arm, label), own in sorted(entries.items()):
        real = sum(each.real or 0 for each in own)
        rejected = sum(each.real_unconfident or 0 for each in own)
        if real and rejected > real / 2:
            strict.append(f"{arm} ({label}): {rejected:,} of {real:,}")
    if strict:
        yield (
            "The rule on confidence would reject most real validation images, too: "
            f"{'; '.join(strict)} of the half that curation uses, counted once for each trial that "
            "judged them. Rejection alone "
            "is therefore no sign of a bad image there: compare the share of generated images that "
            "the rule rejects (table of the curation)."
        )


def _doses(known: Known) -> Iterator[str]:
    replays = {arm.curve for arm in known.results.experiment.arms if arm.replay_of}
    table = known.doses[~known.doses["curve"].isin(replays)]
    for (model, curve), points in table.groupby(["model", "curve"]):
        picked = points.loc[points["chosen"].astype(bool), "dose"].iloc[0]
        if len(points) > 1 and picked in (points["dose"].min(), points["dose"].max()):
            yield (
                f"The dose selected on validation for {curve} with {model} ({picked:,.0f}) lies at "
                "the edge of the curve: a dose beyond it might do better."
            )


def _unseen_classes(known: Known) -> Iterator[str]:
    """Find classes that the first arm hardly ever predicts: showing them more often may suffice."""
    first = known.results.experiment.arms[0].name
    of_first = known.class_scores[known.class_scores["arm"] == first]
    for model, part in of_first.groupby("model", sort=False):
        means = part.groupby("label", sort=False)["sensitivity"].mean()
        if unseen := [str(label) for label, value in means.items() if value < SEEN]:
            yield (
                f"{first} with {model} hardly ever predicts {', '.join(unseen)} at argmax "
                f"(sensitivity below {SEEN:g}): an arm that shows these classes more often may "
                "gain there, whatever its images; use the prior-adjusted results."
            )


def _more_lesions(known: Known) -> Iterator[str]:
    """Find out whether more real images show a gain; if not, synthetic ones can hardly show one."""
    table = primary_rows(known.verdicts, known.results.experiment)
    for contrast in more_lesions(known.results.experiment.arms):
        pair = [contrast.arm, contrast.reference]
        for row in table.to_dict("records"):
            # In the table, half of the lesions is the arm and all lesions are its reference.
            is_turned = [row["reference"], row["arm"]] == pair
            if (not is_turned and [row["arm"], row["reference"]] != pair) or row["role"] == REPLAY:
                continue
            numbers = [row["difference"], row["low"], row["high"]]
            middle, low, high = numbers if not is_turned else [-numbers[at] for at in (0, 2, 1)]
            if not low > 0 and row["levels"] != GROUPS_ONLY:
                yield (
                    f"More real lesions ({contrast.arm} against {contrast.reference}) show no "
                    f"clear gain with {row['model']} ({signed(middle)}, 95 % interval "
                    f"{signed(low)} to {signed(high)}): a clear gain from synthetic images is "
                    "unlikely to be found in this study either."
                )


def _negative_controls(known: Known) -> Iterator[str]:
    """Find replays that differ from their baseline although both show every class equally often."""
    table = primary_rows(known.verdicts, known.results.experiment)
    for row in table[table["role"] == NEGATIVE].to_dict("records"):
        if row["p"] <= ALPHA:
            yield (
                f"The negative control {row['arm']} differs from {row['reference']} with "
                f"{row['model']} ({signed(row['difference'])}, {p_words(row['p'])}, not adjusted), "
                "although both show every class equally often: either this is the one such result "
                "in twenty, or trainings vary more than the interval suggests."
            )


def _discriminator_won(journal: pd.DataFrame) -> bool:
    if "real_probability" not in journal or "fake_probability" not in journal:
        return False
    last = journal.iloc[-1]
    return bool(last["real_probability"] > WON and last["fake_probability"] < 1 - WON)
