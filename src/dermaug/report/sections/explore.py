"""Exploration of a generator: its own page, and the section of the report that links to it."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from einops import rearrange
from jaxtyping import UInt8

from dermaug.csv_files import write_csv
from dermaug.data.halves import LEAST_GROUPS
from dermaug.evaluation.duplicates import NEAR
from dermaug.experiment.run.results import RunResults
from dermaug.files import write_json
from dermaug.inspection.exploration import Exploration
from dermaug.output_places import require_writable
from dermaug.report.blocks import Block, Bullets, Figure, Heading, Panel, Section, Table
from dermaug.report.document import Page
from dermaug.report.drawing import file_name, png, sheet
from dermaug.report.formats import counted, plain_header, plain_rows
from dermaug.report.sections.audit_pages import FOOTER
from dermaug.scoring.verdict_words import signed

FOLDER = "explore"
PAGE, RECORD = "explore.html", "explore.json"
WRITTEN = (PAGE, RECORD, "figures")
"""What an exploration writes: its page first."""
MARK = "dermaug explore"
"""How the title of the page ends."""
SHEETS = {
    "walks": "Each row is one interpolation, from left to right in even steps through the latents; "
    "the next row begins where the last one ended. Images change gradually if the generator has "
    "learnt what lesions are, and jump if it has memorised some.",
    "arithmetic": "Rows from top to bottom: the direction of large lesions subtracted, new images "
    "that were not used to find it, the direction added, a control direction of the same length "
    "added.",
    "duplicates": "Pairs of training images of different lesions, the most similar first, the "
    "upper one rotated to fit. Real images of patients: do not pass this picture on.",
}
SUDDEN = 4.0
"""Ratio of the largest step to the mean step from which an interpolation is called sudden."""
SHOWN = 8
CAPTIONS = {
    "walks": "Root mean square differences of neighbouring images in grey levels (0 to 255), means "
    "over interpolations. Jump: the largest step of an interpolation divided by its mean step; 1 "
    "for even steps, 11 if everything changes at once.",
    "arithmetic": "Area: dark share of the inscribed disc. Before: mean of 32 new images; spread: "
    "SD of 192 generated ones. Raised, lowered: mean change by adding and by subtracting the "
    "direction (three largest minus three smallest of the 192). Control: mean change by nine "
    "directions of the same length between unsorted triples.",
    "features": "Balanced accuracy on one half of the validation lesions of each class, and how "
    "much lower it is than that of the trained discriminator, with 95 % intervals over lesions; "
    "the other half was used to choose the discriminator's snapshot and the C of its SVM. (Classes "
    f"with fewer than {2 * LEAST_GROUPS} lesions are not halved.) Discriminators: all convolutions "
    "max-pooled to 4x4, and a linear SVM fitted to at most 400 training images per class. "
    "Classifiers that keep the best of several evaluations on validation are slightly "
    "overestimated.",
    "duplicates": f"The most similar pairs of different lesions, at most {SHOWN}, by the "
    "correlation of their finest detail at 32 pixels; a pair with a correlation of "
    f"{NEAR} or more counts as one photograph.",
}
TITLES = {
    "walks": "Latent interpolation",
    "arithmetic": "Vector arithmetic",
    "features": "The discriminator as a feature extractor",
    "duplicates": "Near-duplicates among the training images",
}
EXPLORED = (
    "Latent interpolation, vector arithmetic, the discriminator's features and near-duplicates, "
    "one page per generator."
)


def write_explore_page(folder: Path, found: Exploration, generator: str) -> Path:
    """Write `explore.html`, `explore.json`, and `figures/` with sheets as PNG and numbers as CSV.

    Raises:
        DermaugError: The folder cannot be written to.
    """
    require_writable(folder)
    figures, tables = exploration_figures(found), explore_tables(found.tables)
    for name, table in found.tables.items():
        write_csv(folder / "figures" / f"{name}.csv", table)
    sentences = explore_sentences(found.tables)
    write_json(folder / RECORD, found.record | {"sentences": sentences})
    spec = found.spec
    facts = (
        f"{spec.config.key}, {spec.size} × {spec.size} px, trained on "
        f"{counted(len(spec.training_images), 'image')}; drawn here: {', '.join(found.walks)}. "
        "After Radford et al. 2015 (arXiv:1511.06434)."
    )
    sections = [
        Section(name, title, [*([figures[name]] if name in figures else []), tables[name]])
        for name, title in TITLES.items()
        if name in tables
    ]
    return Page(
        kicker=MARK,
        title=generator,
        question="What has this generator learnt?",
        facts=facts,
        sections=[
            Section("findings", "Findings", [Bullets((*sentences, *found.notes))]),
            *sections,
        ],
        footer=FOOTER,
    ).write(folder / PAGE)


def explore_section(results: RunResults, page: Path) -> Section:
    """Links to the explorations of a run's generators."""
    content: list[Block] = []
    for folder in (generator.folder for generator in results.networks):
        found = folder / FOLDER / PAGE
        if found.is_file():
            link = Path(os.path.relpath(found, page.parent)).as_posix()
            content.append(Heading(folder.relative_to(results.folder).as_posix(), link))
    return Section("explored", "Generators explored", [EXPLORED, *content] if content else [])


def exploration_figures(found: Exploration) -> dict[str, Figure]:
    """Sheets of interpolations, vector arithmetic and any near-duplicates, by name."""
    sheets = {
        "walks": found.walks,
        "arithmetic": {label: one.images for label, one in found.arithmetic.items()},
        "duplicates": {"": found.pairs} if found.pairs.size else {},
    }
    return {
        name: Figure(name, SHEETS[name], _panels(name, images), found.tables[name], width=480)
        for name, images in sheets.items()
        if images
    }


def explore_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, Table]:
    """Tables for reading, by name; those without rows are left out."""
    return {
        name: Table(
            CAPTIONS[name],
            tuple(name.capitalize() for name in plain_header(table)),
            plain_rows(table.head(SHOWN)),
            texts=6 if name == "duplicates" else 1,
        )
        for name, table in tables.items()
        if len(table)
    }


def explore_sentences(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Main findings, one sentence per table with numbers."""
    walks, areas = tables["walks"], tables["arithmetic"]
    sudden = ", ".join(walks["label"][walks["largest_jump"] >= SUDDEN])
    works = areas["label"][areas["raised"] > areas["control_largest"]]
    named = f" ({', '.join(works)})" if len(works) else ""
    return [
        f"Interpolations change suddenly in {sudden or 'no class'}: their largest step is "
        f"{walks['mean_jump'].mean():.1f} times the mean step on average, and "
        f"{walks['largest_jump'].max():.1f} times at most.",
        "Adding the direction of large lesions increased the area by more than every control "
        f"direction in {len(works)} of {len(areas)} classes drawn{named}.",
        *_of_features(tables["features"]),
        *_of_duplicates(tables["duplicates"]),
    ]


def _panels(name: str, sheets: Mapping[str, UInt8[np.ndarray, "r c s s 3"]]) -> tuple[Panel, ...]:
    """One sheet per class; images are enlarged to at least 64 pixels."""
    panels = []
    for index, (label, images) in enumerate(sheets.items()):
        large = sheet(rearrange(images, "r c h w k -> (r c) h w k"), images.shape[1])
        file = file_name(name, index, label, ending="png") if label else f"{name}.png"
        alt = f"{label}: {CAPTIONS[name].partition('.')[0]}".removeprefix(": ")
        panels.append(Panel(file, alt, png(large), label))
    return tuple(panels)


def _of_features(features: pd.DataFrame) -> list[str]:
    if len(features) < 2:
        return []
    trained, untrained = features.iloc[0], features.iloc[1]
    low, high = untrained["less_low"], untrained["less_high"]
    verdict = (
        "better than before training"
        if low > 0.0
        else "worse than before training"
        if high < 0.0
        else "not distinguishable from those before training on these images"
    )
    return [
        f"The discriminator's features: {verdict} (balanced accuracy "
        f"{trained['balanced_accuracy']:.3f}, untrained {untrained['balanced_accuracy']:.3f}, "
        f"difference {signed(untrained['less_than_trained'])}, 95 % interval {signed(low)} to "
        f"{signed(high)})."
    ]


def _of_duplicates(duplicates: pd.DataFrame) -> list[str]:
    if duplicates.empty:
        return []
    pairs = "is one near-duplicate pair"
    if len(duplicates) > 1:
        pairs = f"are {len(duplicates)} near-duplicate pairs"
    return [f"Among its training images of different lesions there {pairs}."]
