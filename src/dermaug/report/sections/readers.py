"""The reader test: its own page, and the section of the report."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dermaug.experiment.run.results import RunResults
from dermaug.readers.key import ReaderKey, read_key, refuse_other_test
from dermaug.readers.scores import ALL, SCORES, ReaderScores
from dermaug.report.blocks import Block, Bullets, Details, Section, Table
from dermaug.report.document import Page
from dermaug.report.formats import counted, interval, number, percent, with_interval
from dermaug.scoring.verdict_words import NONE

FOLDER = "readers"
"""Folder of the test in a run, from which the report takes it."""
PAGE = "readers.html"
_QUARTILES = ("median_seconds", "low_quartile", "high_quartile")
FOOTER = (
    "Sensitivity: share of the synthetic images that were called synthetic. Specificity: share of "
    "the real images that were called real. Guessing gives an accuracy of 50 % where half of the "
    "answered images are real. Research use only."
)
DESIGN = (
    "Every reader saw the same images, in an order of their own, and did not know which are real. "
    "Half of the images of each class are real, of lesions on which no generator was trained; the "
    "synthetic ones are as drawn, without curation. Proportions have Wilson's intervals over "
    "images: they hold for this reader only."
)


def reader_section(results: RunResults) -> Section:
    """The scores of the reader test in the run's folder; empty without any."""
    folder = results.folder / FOLDER
    content: list[Block] = []
    if (folder / SCORES).is_dir():
        key = read_key(folder)
        refuse_other_test(folder, key, results)
        scores = ReaderScores.read(folder)
        sentences = Bullets(tuple(reader_sentences(scores)))
        first, *others = reader_tables(scores, key)
        content = [sentences, DESIGN, first, Details("All tables of the reader test", others)]
    return Section("readers", "Reader test", content)


def write_reader_page(folder: Path, key: ReaderKey, scores: ReaderScores) -> Path:
    """Write `readers.html` into the folder of a test."""
    labels = {case.label for case in key.cases}
    generators = sorted({case.generator for case in key.cases if case.generator})
    sentences = Bullets(tuple(reader_sentences(scores)))
    return Page(
        kicker="dermaug readers",
        title=key.run,
        question="Can people tell synthetic images from real ones, and what do they see in them?",
        facts=f"{key.data}: {counted(len(key.cases), 'image')} of "
        f"{counted(len(labels), 'class', 'classes')}, {key.size} × {key.size} px; generators: "
        f"{', '.join(generators)}; fold {key.fold}",
        sections=[
            Section("findings", "Findings", [sentences, DESIGN]),
            Section("numbers", "Numbers", reader_tables(scores, key)),
        ],
        footer=FOOTER,
        notices=missing(scores),
    ).write(folder / PAGE)


def missing(scores: ReaderScores) -> list[str]:
    """A sentence per reader who did not answer every image."""
    return [
        f"{row['reader']} answered {row['answered']} of {row['images']} images; the scores are of "
        "these only."
        for row in scores.times.to_dict("records")
        if row["answered"] < row["images"]
    ]


def reader_sentences(scores: ReaderScores) -> list[str]:
    """Main findings: one sentence per reader and question, then the mean over readers."""
    return [*_told(scores), *_named(scores), *_all_readers(scores)]


def _told(scores: ReaderScores) -> Iterator[str]:
    table = scores.origins[scores.origins["scope"] == ALL]
    for row in table[table["metric"] == "accuracy"].to_dict("records"):
        # Who calls every image the same is right in the share of that origin among the answered.
        kinds = table[(table["reader"] == row["reader"]) & (table["metric"] != "accuracy")]
        shares = kinds["number"] / row["number"]
        verdict = (
            "better than guessing"
            if row["low"] > shares.max()
            else "worse than guessing"
            if row["high"] < shares.min()
            else "not distinguishable from guessing with so many images"
        )
        yield (
            f"{row['reader']} told real from synthetic in {row['count']} of {row['number']} images "
            f"({_worded(row)}): {verdict}."
        )


def _named(scores: ReaderScores) -> Iterator[str]:
    table = scores.diagnoses
    for reader, part in table[table["scope"] == ALL].groupby("reader"):
        shares = [
            f"{row['count']} of {row['number']} {row['origin']} images ({_worded(row)})"
            for row in part.to_dict("records")
        ]
        yield f"{reader} named the class of {' and of '.join(shares)}."


def _all_readers(scores: ReaderScores) -> Iterator[str]:
    table = scores.together
    for row in table[table["metric"] == "accuracy"].to_dict("records"):
        if pd.notna(row["low"]):
            yield (
                f"Mean of {row['readers']} readers, {row['task']}: {_worded(row)} right; the "
                "interval covers other readers and other images of this kind too."
            )


def reader_tables(scores: ReaderScores, key: ReaderKey) -> list[Table]:
    """All tables for reading, without those that have no rows."""
    tables = [
        _proportions("Real or synthetic", scores.origins, ["scope"], "origins"),
        _proportions("Diagnosis", scores.diagnoses, ["origin", "scope"], "diagnoses"),
        _together(scores.together),
        _kappas(
            "Agreement between readers; kappa is 0 at chance, with a bootstrap interval over "
            "images.",
            {"Readers": ["first", "second"], "Task": ["task"]},
            scores.agreement,
            "agreement",
        ),
        _kappas(
            "Agreement of the diagnosis with classifiers that were trained on real images only "
            f"(fold {key.fold}, mean over seeds, prior-adjusted), and the number of images that "
            "reader and classifier put into their class.",
            {"Reader, classifier": ["reader", "classifier"], "Images": ["origin"]},
            scores.classifiers,
            "classifiers",
        ),
        _times(scores.times),
    ]
    return [table for table in tables if table.rows]


def _proportions(title: str, table: pd.DataFrame, scope: list[str], name: str) -> Table:
    """One row per scope, one column per metric, grouped by reader."""
    metrics = list(dict.fromkeys(table["metric"]))
    rows: list[tuple[str, ...]] = []
    for reader, own in table.groupby("reader", sort=False):
        rows.append((str(reader),))
        for place, part in own.groupby(scope, sort=False):
            found = {row["metric"]: row for row in part.to_dict("records")}
            cells = (_counted(found[metric]) if metric in found else NONE for metric in metrics)
            rows.append((", ".join(map(str, place)), *cells))
    header = (", ".join(scope).capitalize(), *(metric.capitalize() for metric in metrics))
    caption = f"{title}: percentage with 95 % interval, and count of images."
    return Table(caption, header, tuple(rows), source=f"{SCORES}/{name}.csv")


def _together(table: pd.DataFrame) -> Table:
    rows = tuple(
        (row["task"], row["metric"], _interval(row), str(row["readers"]), str(row["images"]))
        for row in table.to_dict("records")
    )
    caption = (
        "Mean over readers on the images that all of them answered. The 95 % interval covers the "
        "choice of readers and of images (Obuchowski and Rockette 1995, with the degrees of "
        "freedom of Hillis 2007)."
    )
    header = ("Task", "Metric", "Mean", "Readers", "Images")
    return Table(caption, header, rows, texts=2, source=f"{SCORES}/together.csv")


def _kappas(caption: str, names: Mapping[str, list[str]], table: pd.DataFrame, name: str) -> Table:
    """One row per pair; `names` gives the columns that are joined below each heading."""
    extra = [column for column in ("reader_right", "classifier_right") if column in table]
    rows = tuple(
        (
            *(", ".join(str(row[column]) for column in columns) for columns in names.values()),
            f"{row['agreed']} of {row['number']}",
            with_interval(row, "kappa", lambda value: number(value, 2)),
            *(str(row[column]) for column in extra),
        )
        for row in table.to_dict("records")
    )
    told = (column.replace("_", " ").capitalize() for column in extra)
    header = (*names, "Equal answers", "Kappa", *told)
    return Table(caption, header, rows, texts=2, source=f"{SCORES}/{name}.csv")


def _times(table: pd.DataFrame) -> Table:
    rows = tuple(
        (
            row["reader"],
            f"{row['answered']} of {row['images']}",
            interval(*(number(row[end], 1) for end in _QUARTILES)),
            number(row["minutes"], 1),
        )
        for row in table.to_dict("records")
    )
    caption = "Time per image in seconds, median and quartiles, while the page was in view."
    header = ("Reader", "Answered", "Seconds per image", "Minutes in all")
    return Table(caption, header, rows, source=f"{SCORES}/times.csv")


def _counted(row: Mapping[Any, Any]) -> str:
    return f"{_interval(row)}, {row['count']} of {row['number']}" if row["number"] else NONE


def _interval(row: Mapping[Any, Any]) -> str:
    return with_interval(row, "value", _percent)


def _worded(row: Mapping[Any, Any]) -> str:
    value, low, high = (_percent(row[end]) for end in ("value", "low", "high"))
    return value if low == NONE else f"{value}, 95 % interval {low} to {high}"


def _percent(value: float) -> str:
    return percent(value, 0)
