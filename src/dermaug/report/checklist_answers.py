"""What a run can say to the topics of reporting guidelines; "" where it can say nothing."""

from collections.abc import Callable, Mapping

import numpy as np

from dermaug.experiment.run.results import RunResults
from dermaug.report.formats import counted, number
from dermaug.report.sections.answer import short_answer
from dermaug.report.sections.failures import failures
from dermaug.report.sections.flow import flow_boxes
from dermaug.report.sections.leakage import split_statements
from dermaug.scoring.scores import primary_words
from dermaug.scoring.scoring import Scoring

Answer = Callable[[RunResults, Scoring], str]


def _question(results: RunResults, _: Scoring) -> str:
    asked = results.experiment.question
    return f"{asked} (from the experiment file)" if asked else ""


def _source(results: RunResults, _: Scoring) -> str:
    data, known = results.record.data, results.catalog.grouped
    of = f"of {counted(data.lesions, 'lesion')}" if known else "of an unknown number of lesions"
    named = set(results.catalog.table["patient_id"]) - {""}
    patients = f", {counted(len(named), 'patient')}" if data.grouping == "patient" else ""
    return (
        f"{data.name}: {data.images:,} images {of}{patients} (fingerprint {data.fingerprint}). Add "
        "when, where and by whom they were collected."
    )


def _exclusions(results: RunResults, _: Scoring) -> str:
    config = results.experiment.data
    chosen = f"classes {', '.join(config.classes)}" if config.classes else "all classes"
    unreadable = counted(len(results.record.data.skipped), "unreadable file")
    unclear = "".join(f"{note} " for note in results.catalog.left_out)
    return (
        f"Of the data as read: {chosen}; {unreadable} left out. {unclear}Add the criteria by which "
        "the data were collected."
    )


def _preparation(results: RunResults, _: Scoring) -> str:
    config, side = results.experiment.data, results.images.shape[1]
    crop = "the central square" if config.crop == "centre" else "a square around the lesion"
    return f"Cut to {crop} and averaged down to {side} × {side} pixels; three colours in 8 bits."


def _missing(results: RunResults, _: Scoring) -> str:
    skipped = counted(len(results.record.data.skipped), "unreadable file")
    age = counted(int(results.catalog.table["age"].isna().sum()), "image")
    return (
        f"{skipped} left out. Age is unknown for {age}; unknown values form "
        "groups of their own in the subgroups and enter no network."
    )


def _reference(results: RunResults, _: Scoring) -> str:
    ways = results.catalog.table["dx_type"].astype(str).value_counts(normalize=True)
    known = [f"{way} {100 * share:.0f} %" for way, share in ways.items() if way != "unknown"]
    return f"Labels of the data set; diagnosis by {', '.join(known)} of images." if known else ""


def _splits(results: RunResults, _: Scoring) -> str:
    return " ".join(each.text for each in split_statements(results))


def _size(_: RunResults, scoring: Scoring) -> str:
    verdicts = scoring.verdicts
    least = verdicts.loc[verdicts["scope"] == "all", "detectable"].replace(np.inf, np.nan).dropna()
    if least.empty:
        return ""
    return (
        "The smallest difference that each contrast could detect with 80 % power is in "
        f"scoring/verdicts.csv (column detectable), from {number(least.min())} to "
        f"{number(least.max())}, computed from the variation found in this run. `dermaug run "
        "--dry-run` states what was expected before it."
    )


def _model(results: RunResults, _: Scoring) -> str:
    names = ", ".join(config.key for config in results.experiment.classifiers)
    side = results.images.shape[1]
    return (
        f"Classifiers: {names}; input {side} × {side} pixels, output a probability for each of "
        f"{', '.join(results.catalog.classes)}."
    )


def _weights(results: RunResults, _: Scoring) -> str:
    words = [
        f"{config.key}: {'pre-trained' if config.pretrained else config.weights or 'random'}"
        for config in results.experiment.classifiers
    ]
    return "; ".join(words) + ". Arms of a comparison share their initial weights."


def _training(results: RunResults, _: Scoring) -> str:
    lengths = ", ".join(
        f"{config.key} {config.images:,} images shown" for config in results.experiment.classifiers
    )
    arms = "; ".join(
        f"{arm.name}: augmentation {arm.policy}, loss {arm.loss}"
        + (f", sampling {arm.sampling}" if arm.sampling else "")
        for arm in results.experiment.compared_arms
    )
    return f"{lengths}, equal for all arms. {arms}. All settings are in experiment.json."


def _synthetic(results: RunResults, _: Scoring) -> str:
    families = dict.fromkeys(one.family for one in results.generators)
    if not families:
        return ""
    notes = dict.fromkeys(how.note for one in results.networks for how in one.record.translated)
    ways = f" Besides those drawn from noise, images are {'; '.join(notes)}." if notes else ""
    return (
        f"Generators: {', '.join(families)}, trained on the training split of each fold only.{ways}"
        " The audit (audit.csv) compares all images with validation lesions and searches copies."
    )


def _software(results: RunResults, _: Scoring) -> str:
    told, machine = results.record, results.record.machine
    parts = [f"dermaug {told.version}", *(f"{k} {v}" for k, v in told.versions.items())]
    return f"{', '.join(parts)}; {machine.cpu}, GPU: {machine.gpu or 'none'}."


def _metrics(results: RunResults, _: Scoring) -> str:
    return (
        f"Primary: {primary_words(results.experiment)}, fixed in the experiment file before the "
        f"run (started {results.record.started}). Every other metric is marked as exploratory or "
        "belongs to a family of its own."
    )


def _uncertainty(results: RunResults, scoring: Scoring) -> str:
    levels = [each for each in dict.fromkeys(scoring.verdicts["levels"]) if each]
    return (
        f"95 % intervals over {' or '.join(levels) or 'test groups'}; paired differences; Holm's "
        f"rule within families over {counted(len(results.experiment.compared_arms), 'arm')}; "
        "equivalence by two one-sided tests."
    )


def _thresholds(_: RunResults, scoring: Scoring) -> str:
    if scoring.operating_points.empty:
        return "Decisions by the highest probability, before and after prior adjustment."
    return (
        "Decisions by the highest probability, before and after prior adjustment; thresholds for "
        "a stated sensitivity or specificity are chosen on validation and applied to test."
    )


def _robustness(results: RunResults, _: Scoring) -> str:
    replays = [arm.name for arm in results.experiment.compared_arms if arm.replay_of]
    controls = f"Replay controls: {', '.join(replays)}. " if replays else ""
    return (
        f"{controls}{counted(len(results.experiment.seeds), 'training')} per arm and fold, "
        f"{counted(len(results.folds), 'fold')}."
    )


def _flow(results: RunResults, _: Scoring) -> str:
    told = "; ".join(f"{each.box} {each.images:,} images" for each in flow_boxes(results))
    return f"{told} (diagram: Flow)."


def _subgroups(_: RunResults, scoring: Scoring) -> str:
    groups = list(dict.fromkeys(scoring.subgroups["grouping"]))
    return f"By {', '.join(groups)}: scoring/subgroups.csv, exploratory." if groups else ""


def _failures(results: RunResults, _: Scoring) -> str:
    if not results.trials:
        return ""
    found = failures(results)
    missed = f", {found['missed'].sum():,} of them missed malignant or pre-malignant lesions"
    return (
        f"Of {counted(len(found), 'test lesion')}, the mean prediction of the compared classifiers "
        f"calls an image wrongly{missed if found['missed'].any() else ''}. Examples are in the "
        "report under Failure cases, which is not published: say what they have in common, and "
        "show those that you may show."
    )


def _limits(results: RunResults, scoring: Scoring) -> str:
    tones = set(results.catalog.table["skin_tone"]) - {"unknown"}
    skin = "" if tones else "The data do not say the patients' skin tone. "
    return skin + " ".join(scoring.threats["sentence"])


def _said(text: str, table: str = "") -> Answer:
    """The same text for every run; nothing where a table of its scoring is empty."""
    return lambda _, scoring: "" if table and getattr(scoring, table).empty else text


ANSWERS: Mapping[str, Answer] = {
    "question": _question,
    "source": _source,
    "exclusions": _exclusions,
    "preparation": _preparation,
    "missing": _missing,
    "reference": _reference,
    "splits": _splits,
    "size": _size,
    "model": _model,
    "weights": _weights,
    "training": _training,
    "selection": _said(
        "The last weights of each classifier are used. Snapshots of generators and doses are "
        "selected on the validation split; the test split is used once, for the scores."
    ),
    "synthetic": _synthetic,
    "software": _software,
    "metrics": _metrics,
    "uncertainty": _uncertainty,
    "thresholds": _thresholds,
    "robustness": _robustness,
    "flow": _flow,
    "characteristics": _said(
        "Table 1 in the report's section “From the data set into the splits”."
    ),
    "performance": lambda results, scoring: " ".join(short_answer(results, scoring)),
    "subgroups": _subgroups,
    "confusion": _said("scoring/confusion.csv, for each arm and classifier.", "confusion"),
    "calibration": _said(
        "scoring/calibration.csv and the slope and intercept in scoring/decisions.csv.",
        "calibration",
    ),
    "failures": _failures,
    "external": _said("scoring/external.csv, with the verdicts beside it.", "external"),
    "limits": _limits,
    "availability": _said(
        "`dermaug publish` writes what can be published. Add addresses and licences."
    ),
}
"""Key of a topic -> what the run says to it."""
