"""The pages of `dermaug audit`: one synthetic set, and several sets ranked."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from dermaug.csv_files import write_csv
from dermaug.inspection.audit_folder import FolderAudit
from dermaug.inspection.audit_parts import UNKNOWN
from dermaug.output_places import require_writable
from dermaug.report.blocks import Block, Bullets, Details, Figure, Heading, Section, Table
from dermaug.report.document import Page
from dermaug.report.formats import plain_header, plain_rows
from dermaug.report.sections.audit import audit_sentences
from dermaug.report.sections.audit_pictures import pair_panel
from dermaug.report.sections.audit_tables import audit_tables

FOOTER = (
    "Images shown may be patients': they are under the licence of their data set. Research use "
    "only; not for diagnosis."
)
MOST_SHOWN = 50
"""Number of single images listed on the page."""
RANKED = {
    "set": "set",
    "images": "images",
    "kid": "mean KID",
    "copies": "copies",
    "realism": "median realism",
    "class_probability": "mean probability of class",
    "kept": "kept",
}
"""Column of the ranking -> its heading."""
RANKING = (
    "Sets by their mean KID over classes, the smallest first; sets of different sizes or classes "
    "are not strictly comparable. Copies and kept are shares of the examined images. A good place "
    "says nothing about whether a classifier gains."
)


MARK = "dermaug audit"
"""How the title of every page of an audit ends."""
WRITTEN = ("audit.html", "audit.csv", "instances.csv", "ranking.csv", "figures")
"""What an audit writes: its page first."""


def write_audit_page(
    folder: Path, found: FolderAudit, synthetic: str, data: str, features: str
) -> Path:
    """Write `audit.html`, `audit.csv`, `instances.csv`, and `figures/` with the nearest pairs.

    Raises:
        DermaugError: The folder cannot be written to.
    """
    require_writable(folder)
    numbers = found.audit.numbers
    panels = tuple(
        pair_panel(drawn, real, label, index)
        for index, (label, (drawn, real)) in enumerate(found.pictures.items())
        if len(drawn)
    )
    caption = "Above: synthetic images nearest to a real one; below: that real image."
    pairs = Figure("nearest_pairs", caption, panels, found.audit.pairs, width=420)
    write_csv(folder / "audit.csv", numbers)
    write_csv(folder / "figures" / "nearest_pairs.csv", found.audit.pairs)
    write_csv(folder / "instances.csv", found.instances)
    told: list[Block] = [
        *audit_sentences(numbers),
        *audit_tables(numbers),
        *([pairs] if panels else []),
        Details("Single images", [instances_table(found.instances)]),
        Heading("What was compared"),
        Bullets(tuple(note for note in found.notes if note != UNKNOWN)),
    ]
    return Page(
        kicker=MARK,
        title=synthetic,
        question=f"Are these images like {data}, and are they copies?",
        facts=f"Features: {features}",
        sections=[Section("findings", "Findings", told)],
        footer=FOOTER,
        notices=tuple(note for note in found.notes if note == UNKNOWN),
    ).write(folder / WRITTEN[0])


def write_ranking_page(
    folder: Path, found: Mapping[str, FolderAudit], data: str, features: str
) -> Path:
    """Write `audit.html` with the sets ranked, and the page of each set in a folder below.

    Raises:
        DermaugError: The folder cannot be written to.
    """
    ranked = rank(found)
    for name, audit in found.items():
        write_audit_page(folder / name, audit, name, data, features)
    write_csv(folder / "ranking.csv", ranked)
    rows = [(str(place), *row) for place, row in enumerate(plain_rows(ranked), start=1)]
    table = Table(RANKING, ("place", *RANKED.values()), tuple(rows), texts=2, source="ranking.csv")
    links = "The page of each set: " + ", ".join(f"{name}/audit.html" for name in found) + "."
    notices = [f"{name}: {UNKNOWN}" for name, audit in found.items() if UNKNOWN in audit.notes]
    return Page(
        kicker=MARK,
        title=f"{len(found)} sets of synthetic images",
        question=f"Which of these sets is most like {data}, and does it hold copies?",
        facts=f"Features: {features}",
        sections=[Section("ranking", "Ranking", [table, links])],
        footer=FOOTER,
        notices=tuple(notices),
    ).write(folder / WRITTEN[0])


def rank(found: Mapping[str, FolderAudit]) -> pd.DataFrame:
    """One row per set, the smallest mean KID first, with the columns of `RANKED`."""
    rows = []
    for name, audit in found.items():
        numbers, single = audit.audit.numbers, audit.instances
        rows.append(
            {
                "set": name,
                "images": int(numbers["images"].sum()),
                "kid": float(numbers["kid"].astype(float).mean()),
                "copies": float((single["copy_score"] < 1.0).mean()),
                "realism": float(single["realism"].median()),
                "class_probability": float(single["class_probability"].mean()),
                "kept": float(single["kept"].mean()),
            }
        )
    return pd.DataFrame(rows).sort_values("kid", ignore_index=True)


def instances_table(instances: pd.DataFrame) -> Table:
    """The images that are most like a copy, for the page; all are in the file."""
    worst = instances.sort_values("copy_score", ignore_index=True).head(MOST_SHOWN)
    caption = (
        f"The {len(worst)} of {len(instances):,} examined images with the smallest copy score "
        "(below 1: a copy). Realism of at least 1: among the real validation images "
        "(Kynkäänniemi et al. 2019). Kept: whether a curation that drops copies keeps the image."
    )
    header, rows = plain_header(instances), plain_rows(worst)
    return Table(caption, header, rows, texts=3, source="instances.csv")
