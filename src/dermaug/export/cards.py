"""The cards of data sets and models: what they are, what is known, and what they are not for."""

from typing import Any

import pandas as pd

from dermaug.export.audited import AuditedSet
from dermaug.export.licences import Licence
from dermaug.inspection.audit_summary import summarise
from dermaug.markdown import plain
from dermaug.templates import templates

CARD = "README.md"
AUDIT_COLUMNS = {
    "label": "Class",
    "copies": "Copies",
    "copy_examined": "Images examined",
    "copy_expected": "Share of copies by chance, at most",
    "kid": "KID",
    "kid_floor": "KID of real images",
    "precision": "Precision",
    "recall": "Recall",
    "visible_share": "Class recognised",
    "visible_validation": "Class recognised, real images",
}
NOT_AUDITED = (
    "**Not audited.** Nothing is known on whether the images repeat training images. Run "
    "`dermaug audit` before you pass them on."
)
PRIVACY = (
    "An audit examines at most 1,000 images of each class. It finds images that are nearer to a "
    "training image than unrelated lesions are. It does "
    "not show that the images are anonymous: it is no guarantee such as differential privacy, and "
    "cannot exclude that a training image can be inferred in another way."
)


def card(kind: str, name: str, licence: Licence, front: dict[str, str], **values: Any) -> str:  # noqa: ANN401
    """Write a card in Markdown, with the front matter of the Hugging Face Hub.

    Args:
        kind: dataset, classifier or generator.
        name: Its heading.
        licence: The licence.
        front: Further entries of the front matter.
        values: What the template of this kind asks for.
    """
    environment = templates("dermaug.export", html=False)
    environment.filters["plain"] = plain
    template = environment.get_template(f"{kind}.md.j2")
    return template.render(name=name, licence=licence, front=front, privacy=PRIVACY, **values)


def audit_words(numbers: pd.DataFrame | None) -> str:
    """The audit of a generator as a Markdown table with one row per class, or that there is none.

    Args:
        numbers: The columns of `AuditRow`; None without an audit.
    """
    if numbers is None:
        return NOT_AUDITED
    lines = [f"| {' | '.join(AUDIT_COLUMNS.values())} |"]
    lines += [f"|---|{'---:|' * (len(AUDIT_COLUMNS) - 1)}"]
    lines += [
        f"| {' | '.join(plain(_cell(row[name])) for name in AUDIT_COLUMNS)} |"
        for row in numbers.to_dict("records")
    ]
    end = "Against validation lesions of the fold, by `dermaug run`."
    return "\n".join([*lines, "", " ".join([end, *_alarms(numbers)])])


def set_words(found: AuditedSet | None) -> str:
    """What the audit of its generator says of a set, in Markdown.

    Args:
        found: The images of the set, before copies were left out; None without an audit.
    """
    if found is None:
        return NOT_AUDITED
    number, looked = len(found.drawn), int(found.examined.sum())
    told = [] if looked == number else [_not_examined(number, looked)]
    if number < found.total or not found.drawn.all():
        told.append(
            f"The table is of all {found.total:,} images that the generator drew for the run, "
            f"before any were chosen. {looked:,} of the {number:,} images chosen are among those "
            f"examined for copies, and {int(found.copies.sum()):,} of these counted as copies."
        )
    return "\n\n".join([*told, audit_words(found.numbers)])


def _not_examined(number: int, looked: int) -> str:
    some = f"{number - looked:,} of the {number:,} images chosen were not"
    return (
        f"**{some if looked else 'No image was'} examined for copies.** Nothing is known on "
        "whether they repeat training images. Run `dermaug audit` before you pass them on."
    )


def _alarms(numbers: pd.DataFrame) -> list[str]:
    """That classes of a generator have more copies than chance gives, if some have."""
    classes = (one for family in summarise(numbers).values() for one in family)
    held = [one for one in classes if one.holds_copies]
    if not held:
        return []
    told = (
        "**More images than chance gives on average count as copies** of "
        f"{', '.join(plain(one.label) for one in held)}: the 95 % interval of their share (Wilson) "
        "lies above the share by chance."
    )
    unsure = [plain(one.label) for one in held if not one.can_judge]
    doubt = (
        f" Whether those of {', '.join(unsure)} are copies cannot be told: too few validation "
        "lesions give the threshold, so that chance alone may give such shares."
    )
    return [told + doubt * bool(unsure)]


def size_category(total: int) -> str:
    """The Hub's name for a number of images."""
    limits = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
    return next((words for limit, words in limits if total < limit), "100K<n<1M")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.0f}" if value.is_integer() else f"{value:.3f}"
    return str(value)
