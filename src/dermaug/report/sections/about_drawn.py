"""What a run knows of its generated images, in plain sentences beside them."""

from collections.abc import Sequence

import pandas as pd

from dermaug.config.translation import set_name
from dermaug.experiment.run.results import GeneratorResult, RunResults
from dermaug.inspection.audit_summary import of_largest
from dermaug.report.formats import counted, listed, percent, spanned
from dermaug.scoring.threats import copies_left_in


def about_drawn(results: RunResults, audits: pd.DataFrame) -> list[str]:
    """For each generator family: how long it was trained, how often its classes are recognised.

    Sets that it drew from training images have a sentence each. `audits` may be empty.
    """
    sentences, largest = [], of_largest(results, audits)
    for family in dict.fromkeys(one.family for one in results.networks):
        networks = [one for one in results.networks if one.family == family]
        for how in dict.fromkeys(each for one in networks for each in one.record.sets):
            name = set_name(family, how)
            known = _audited(largest, name, results.catalog.num_classes)
            told = [*([] if how else [trained(networks)]), *known]
            if any(told):
                sentences.append(f"{name}: {' '.join(filter(None, told))}")
    doses = (arm.synthetic for arm in results.experiment.arms if arm.synthetic)
    if sentences and len(largest) and any(each.curation for each in doses):
        sentences.append(
            "These are images as drawn: arms with a curation were trained on those that passed it "
            f"(see Training).{_kept_copies(results)}"
        )
    return sentences


def _kept_copies(results: RunResults) -> str:
    """For which classes nothing told copies apart, although an arm asks to leave them out."""
    kept = {label for _, label in copies_left_in(results)}
    named = [label for label in results.catalog.classes if label in kept]
    if not named:
        return ""
    return (
        f" In some trainings, copies of training images were not left out of {listed(named)}: too "
        "few validation images to compare with (see Threats)."
    )


def _audited(numbers: pd.DataFrame, name: str, num_classes: int) -> list[str]:
    """What the audits of a set say of its images; `numbers` may be empty."""
    own = numbers[numbers["family"] == name] if len(numbers) else numbers
    if not len(own):
        return []
    share = percent(1 / num_classes, 0)
    guessed = f"Guessing among the {num_classes} classes would give {share} of each."
    return [recognised(own), *([guessed] if recognised(own) else []), copied(own)]


def trained(networks: Sequence[GeneratorResult]) -> str:
    """How long the generators of a family were trained, and after how much they were kept."""
    records = [one.record for one in networks]
    shown, kept, sets = (
        spanned(getattr(each, name) for each in records)
        for name in ("images", "kept_images", "training_images")
    )
    early = any(each.kept_images < each.images for each in records)
    after = f"; the snapshots that drew these images had been shown {kept}" if early else ""
    return (
        f"{counted(len(records), 'generator')}, each trained on {sets} real images, of which "
        f"it was shown {shown} in all, repeats counted{after}."
    )


def recognised(numbers: pd.DataFrame) -> str:
    """How often the audit's classifier recognises the classes of a family; "" if unknown."""
    known = numbers[["visible_share", "visible_validation"]].astype(float).dropna()
    if known.empty:
        return ""
    drawn, real = (percent(value, 0) for value in known.mean())
    several = numbers.duplicated("label").any()
    over = f"classes and generators{_spread(numbers)}" if several else "classes"
    return (
        "A classifier trained on real images takes "
        f"{drawn} of the generated images for their class, and {real} of real validation images "
        f"(means over {over if len(known) > 1 else 'this class'})."
    )


def _spread(numbers: pd.DataFrame) -> str:
    """Between which means of single folds and seeds that of the generated images lies."""
    shares = numbers.assign(share=numbers["visible_share"].astype(float))
    means = shares.groupby(["lesions", "fold", "seed"])["share"].mean()
    if len(means) < 2:
        return ""
    low, high = percent(means.min(), 0), percent(means.max(), 0)
    return f"; of single folds and seeds {low} to {high} of the generated ones"


def copied(numbers: pd.DataFrame) -> str:
    """How many images count as copies; "" if none was examined."""
    counts = numbers.dropna(subset=["copies"])
    copies, examined = int(counts["copies"].sum()), int(counts["copy_examined"].sum())
    if not examined:
        return ""
    return f"{copies:,} of {examined:,} examined images count as copies of training images."
