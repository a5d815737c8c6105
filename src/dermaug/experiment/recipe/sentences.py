"""What a plan says: what was found, what was chosen and why, and what it can tell."""

import json
from pathlib import Path
from typing import Any

from dermaug.experiment.launchers.duration import told_duration
from dermaug.experiment.plan.power import power_sentences
from dermaug.experiment.recipe.choose import Offer, Plan
from dermaug.experiment.recipe.look import Look
from dermaug.experiment.recipe.plan_file import toml_text
from dermaug.experiment.recipe.reasons import reasons, sides_words

MANY_MORE = 1.2
"""Times as many lesions that are worth a word."""

WORTH = 0.8
"""Part of a detectable difference down to which a larger study finds hardly more."""


def plan_text(plan: Plan) -> str:
    """The experiment file of a plan, with its reasons as comments."""
    head = (
        f"Planned by `dermaug plan` from {_images(plan.look)}, for {_machine(plan.look)}: "
        f"{_chosen(plan)}.",
        *(f"{each[:1].upper()}{each[1:]}." for each in power_sentences(plan.chosen.power)),
        "Every entry can be changed; docs/run-a-study.md explains them.",
    )
    return toml_text(plan.chosen.draft.tree, reasons(plan), head)


def plan_sentences(plan: Plan) -> list[str]:
    """Lines for the terminal; an empty one separates paragraphs."""
    look, tree = plan.look, plan.chosen.draft.tree
    classes = ", ".join(f"{each.label} {each.images:,}" for each in look.classes)
    told = (look.read_as, *look.catalog.notes, look.unread)
    lines = [
        f"data: {_images(look)}",
        f"  {classes}",
        *(f"  note: {note}" for note in filter(None, told)),
        f"machine: {_machine(look)}",
        "",
        f"plan: {_chosen(plan)}",
        *([f"  {plan.busy}"] if plan.busy else []),
        *(f"  {key}{_value(tree, key)}: {text}" for key, text in reasons(plan).items()),
        "",
        "what it can tell:",
        *(f"  {line}" for line in power_sentences(plan.chosen.power)),
        "  Smaller differences may exist; the report will call them inconclusive.",
        f"  {limit_sentence(plan)}",
    ]
    if plan.stronger:
        lines += ["", "larger studies of these data, if you allow more --hours:"]
        lines += [f"  {_stronger(offer)}" for offer in plan.stronger]
        if any(_is_stricter(offer, plan.chosen) for offer in plan.stronger):
            lines.append(
                "  A study with more comparisons judges each of them more strictly (Holm), so that "
                "it may find only larger differences: its answer is for more arms or networks."
            )
        if plan.least > WORTH * plan.chosen.power.balanced_accuracy:
            unit = look.catalog.unit
            lines.append(
                f"  None of them finds much smaller differences than this plan: more {unit}s would."
            )
    return lines


def limit_sentence(plan: Plan) -> str:
    """What these lesions cannot show, however long they are studied."""
    unit, least = plan.look.catalog.unit, plan.least
    margin = plan.chosen.experiment.verdict.margin.balanced_accuracy
    said = (
        f"{plan.look.catalog.groups_in_words} are the limit: however long a study of them runs, it "
        f"does not find differences in mean sensitivity below about {least:.2g}."
    )
    if plan.more_lesions > MANY_MORE:
        times = f"{plan.more_lesions:.1f}" if plan.more_lesions < 10 else f"{plan.more_lesions:.0f}"
        said += (
            f" To find a difference of {margin:g}, the smallest one that matters (verdict.margin), "
            f"you need about {times} times as many {unit}s."
        )
    return said


def plan_record(plan: Plan, path: Path | None) -> dict[str, Any]:
    """The plan as plain values, for `--json`."""
    look = plan.look
    return {
        "path": None if path is None else str(path),
        "hours_available": plan.hours,
        "busy": plan.busy,
        "data": {
            "name": look.catalog.name,
            "unit": look.catalog.unit,
            "classes": [vars(each) for each in look.classes],
            "left_out": [vars(each) for each in look.too_few],
            "short_sides": list(look.short_sides),
            "unusable": list(map(str, look.unusable)),
            "read_as": look.read_as,
            "notes": list(look.catalog.notes),
        },
        "machine": {**look.machine.model_dump(mode="json"), "device": look.device},
        "chosen": _record(plan.chosen),
        "reasons": reasons(plan),
        "stronger": [_record(offer) for offer in plan.stronger],
        "least_detectable": plan.least,
        "experiment": plan.chosen.experiment.model_dump(mode="json"),
    }


def _images(look: Look) -> str:
    total = sum(each.images for each in look.classes)
    kinds = ", ".join(sorted(look.kinds)) or "embedded pixels"
    units = ""
    if look.catalog.grouped or look.catalog.unit == "patient":
        units = f" of {look.catalog.groups_in_words}"
    return (
        f"{look.catalog.name}: {total:,} images{units} in {len(look.classes)} classes ({kinds}; "
        f"{sides_words(look)})"
    )


def _machine(look: Look) -> str:
    gpu = f"GPU {look.machine.gpu}" if look.machine.gpu else "no GPU"
    cores = f"{look.machine.cores} core{'s' * (look.machine.cores != 1)}"
    return f"{look.machine.cpu}, {cores}, {gpu}; trainings run on {look.device}"


def _chosen(plan: Plan) -> str:
    offer = plan.chosen
    allowed = "as you asked" if plan.asked else "the default for these data"
    return (
        f"{offer.draft.rung.name}, about {_hours(offer.hours)} (at most {_hours(plan.hours)}, "
        f"{allowed}): {len(offer.jobs.in_order)} jobs, {offer.at_once} at the same time"
    )


def _hours(hours: float) -> str:
    return told_duration(3600.0 * hours)


def _value(tree: dict[str, Any], dotted: str) -> str:
    """` = value` of a plain entry; nothing for a section or an entry of a list."""
    section, _, key = dotted.partition(".")
    found = tree.get(section)
    if isinstance(found, list) and found and isinstance(found[0], dict):
        found = found[0]
    value = found.get(key) if key and isinstance(found, dict) else found if not key else None
    return f" = {json.dumps(value, ensure_ascii=False)}" if _is_plain(value) else ""


def _is_plain(value: object) -> bool:
    """Whether a value is shown in a line: no section."""
    return isinstance(value, int | str) or (
        isinstance(value, list) and not any(isinstance(each, dict) for each in value)
    )


def _stronger(offer: Offer) -> str:
    experiment, power = offer.experiment, offer.power
    known = [value for value in power.sensitivity.values() if value is not None]
    ends = dict.fromkeys(f"{end(known):.2f}" for end in (min, max)) if known else ()
    each = f", and {' to '.join(ends)} in that of a class" if known else ""
    folds = f"{len(offer.folds)} fold{'s' * (len(offer.folds) != 1)}"
    return (
        f"{offer.draft.rung.name}: about {_hours(offer.hours)} ({experiment.data.size} px, "
        f"{folds}, {len(experiment.seeds)} seeds); finds a difference of "
        f"{power.balanced_accuracy:.2g} in mean sensitivity{each}"
    )


def _is_stricter(offer: Offer, chosen: Offer) -> bool:
    """Whether a larger study finds no smaller differences, because it makes more comparisons."""
    found, least = offer.power, chosen.power
    return (
        found.balanced_accuracy >= least.balanced_accuracy and found.comparisons > least.comparisons
    )


def _record(offer: Offer) -> dict[str, Any]:
    return {
        "rung": offer.draft.rung.name,
        "length": offer.draft.length,
        "hours": round(offer.hours, 3),
        "jobs": len(offer.jobs.in_order),
        "jobs_at_once": offer.at_once,
        "detectable": vars(offer.power),
    }
