"""The cards of data sets and models: what they are, what is known, and what they are not for."""

from typing import Any

import jinja2
import pandas as pd

from dermaug.export.licences import Licence
from dermaug.markdown import plain

CARD = "README.md"
AUDIT_COLUMNS = {
    "label": "Class",
    "copies": "Copies",
    "copy_examined": "Images examined",
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
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dermaug.export"),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = plain
    template = environment.get_template(f"{kind}.md.j2")
    return template.render(name=name, licence=licence, front=front, privacy=PRIVACY, **values)


def audit_words(audit: pd.DataFrame | None) -> str:
    """An audit as a Markdown table with one row per class, or that there is none.

    Args:
        audit: The columns of `AuditRow`; None without an audit.
    """
    if audit is None:
        return NOT_AUDITED
    lines = [f"| {' | '.join(AUDIT_COLUMNS.values())} |", f"|---|{'---:|' * 8}"]
    lines += [
        f"| {' | '.join(plain(_cell(row[name])) for name in AUDIT_COLUMNS)} |"
        for row in audit.to_dict("records")
    ]
    return "\n".join([*lines, "", "Against validation lesions of the fold, by `dermaug run`."])


def size_category(total: int) -> str:
    """The Hub's name for a number of images."""
    limits = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
    return next((words for limit, words in limits if total < limit), "100K<n<1M")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.0f}" if value.is_integer() else f"{value:.3f}"
    return str(value)
