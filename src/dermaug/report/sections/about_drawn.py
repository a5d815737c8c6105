"""What a run knows of its generated images, in plain sentences beside them."""

from collections.abc import Sequence

import pandas as pd

from dermaug.config.translation import set_name
from dermaug.experiment.run.results import GeneratorResult, RunResults
from dermaug.inspection.audit_summary import of_largest
from dermaug.report.formats import counted, percent, spanned


def about_drawn(results: RunResults, audits: pd.DataFrame) -> list[str]:
    """For each generator family: how long it was trained, how often its classes are recognised.

    Sets that it drew from training images have a sentence each.

    Args:
        results: The run.
        audits: Numbers of its audits, as `collect_audits` gives them; may be empty.
    """
    sentences, largest = [], of_largest(results, audits)
    for family in dict.fromkeys(one.family for one in results.networks):
        networks = [one for one in results.networks if one.family == family]
        for how in dict.fromkeys(each for one in networks for each in one.record.sets):
            name = set_name(family, how)
            told = [*([] if how else [trained(networks)]), *_audited(largest, name)]
            if any(told):
                sentences.append(f"{name}: {' '.join(filter(None, told))}")
    doses = (arm.synthetic for arm in results.experiment.arms if arm.synthetic)
    if sentences and len(largest) and any(each.curation for each in doses):
        sentences.append(
            "These are images as drawn: arms with a curation were trained on those that passed it "
            "(see Training)."
        )
    return sentences


def _audited(numbers: pd.DataFrame, name: str) -> list[str]:
    """What the audits of a set say of its images; `numbers` may be empty."""
    own = numbers[numbers["family"] == name] if len(numbers) else numbers
    return [recognised(own), copied(own)] if len(own) else []


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
    """How often the classifier of the audit recognises classes; "" if it is not known.

    Args:
        numbers: The audits of one family.
    """
    known = numbers[["visible_share", "visible_validation"]].astype(float).dropna()
    if known.empty:
        return ""
    drawn, real = (percent(value, 0) for value in known.mean())
    over = "classes and generators" if numbers.duplicated("label").any() else "classes"
    return (
        "A classifier trained on real images takes "
        f"{drawn} of the generated images for their class, and {real} of real validation images "
        f"(means over {over if len(known) > 1 else 'this class'})."
    )


def copied(numbers: pd.DataFrame) -> str:
    """How many images count as copies; "" if none was examined."""
    counts = numbers.dropna(subset=["copies"])
    copies, examined = int(counts["copies"].sum()), int(counts["copy_examined"].sum())
    if not examined:
        return ""
    return f"{copies:,} of {examined:,} examined images count as copies of training images."
