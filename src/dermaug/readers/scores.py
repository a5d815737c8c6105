"""The scores of a reader test: who told what from what, how surely, and how quickly."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from dermaug.files import sha256
from dermaug.readers.key import KEY, REAL, SYNTHETIC, ReaderKey
from dermaug.stats.kappa import cohen_kappa
from dermaug.stats.multireader import LEAST_READERS, reader_mean
from dermaug.stats.proportion import wilson
from dermaug.stored_tables import Source, read_tables, write_tables

SCORES = "scores"
"""Folder of the tables in the folder of the test."""
ALL = "all"


@dataclass(frozen=True, eq=False)
class ReaderScores:
    """The tables of a reader test; a table without rows still has its columns.

    Args:
        origins: Real or synthetic. One row per reader, scope (all, a class, or a generator) and
            metric: accuracy, sensitivity (share of the synthetic images that were called
            synthetic) and specificity (share of the real images that were called real); with count,
            number, value and Wilson's 95 % interval.
        diagnoses: The diagnosis. One row per reader, origin of the images, scope (all or a class)
            and metric: accuracy over all classes, sensitivity and specificity of a class.
        agreement: One row per pair of readers, task (origin, or diagnosis of real or synthetic
            images): number, agreed, kappa, low, high.
        classifiers: One row per reader, classifier and origin: agreement as above, and how many
            images the classifier and the reader put into their class.
        together: From three readers on: mean over readers with an interval that covers the choice
            of readers and of images, one row per task and metric.
        times: One row per reader: answered, images, median_seconds, low_quartile, high_quartile,
            minutes.
    """

    origins: pd.DataFrame
    diagnoses: pd.DataFrame
    agreement: pd.DataFrame
    classifiers: pd.DataFrame
    together: pd.DataFrame
    times: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its name, which is also the name of its file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def write(self, folder: Path) -> None:
        """Write a CSV file for each table below the folder of the test."""
        write_tables(folder / SCORES, self.tables, _source(folder))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the tables written by `write`.

        Raises:
            DermaugError: A table is missing or was changed, or belongs to another test.
        """
        names = [each.name for each in fields(cls)]
        return cls(**read_tables(folder / SCORES, names, _source(folder)))


def _source(folder: Path) -> Source:
    return Source(
        lambda: sha256(folder / KEY),
        "the scores of a reader test",
        "those of a test with another key",
        "score the answers with `dermaug readers score`",
    )


def score_readers(key: ReaderKey, answers: pd.DataFrame) -> ReaderScores:
    """Score the answers of a reader test."""
    proportions = ["count", "number", "value", "low", "high"]
    kappas = ["number", "agreed", "kappa", "low", "high"]
    return ReaderScores(
        origins=_table(_origins(answers), ["reader", "scope", "metric", *proportions]),
        diagnoses=_table(
            _diagnoses(answers), ["reader", "origin", "scope", "metric", *proportions]
        ),
        agreement=_table(_agreement(answers), ["first", "second", "task", *kappas]),
        classifiers=_table(
            _classifiers(key, answers),
            ["reader", "classifier", "origin", *kappas, "reader_right", "classifier_right"],
        ),
        together=_table(
            _together(answers), ["task", "metric", "value", "low", "high", "readers", "images"]
        ),
        times=_table(_times(key, answers), ["reader", "answered", "images", *_TIMES]),
    )


_TIMES = ("median_seconds", "low_quartile", "high_quartile", "minutes")


def _table(rows: Iterator[tuple[object, ...]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns)


def _proportion(right: pd.Series) -> tuple[object, ...]:
    count, number = int(right.sum()), len(right)
    return count, number, count / number if number else np.nan, *wilson(count, number)


def _by_reader(answers: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for reader, own in answers.groupby("reader", sort=True):
        yield str(reader), own


def _origins(answers: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    for reader, own in _by_reader(answers):
        scopes = [(ALL, own)]
        scopes += [(str(label), part) for label, part in own.groupby("label")]
        for scope, part in scopes:
            right = part["said"] == part["origin"]
            yield reader, scope, "accuracy", *_proportion(right)
            yield reader, scope, "sensitivity", *_proportion(right[part["origin"] == SYNTHETIC])
            yield reader, scope, "specificity", *_proportion(right[part["origin"] == REAL])
        drawn = own[own["origin"] == SYNTHETIC]
        for generator, part in drawn.groupby("generator"):
            found = part["said"] == SYNTHETIC
            yield reader, f"generator {generator}", "sensitivity", *_proportion(found)


def _diagnoses(answers: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    for reader, own in _by_reader(answers):
        for origin, part in own.groupby("origin"):
            right = part["diagnosis"] == part["label"]
            yield reader, origin, ALL, "accuracy", *_proportion(right)
            for label in sorted(set(part["label"])):
                is_class, says = part["label"] == label, part["diagnosis"] == label
                yield reader, origin, label, "sensitivity", *_proportion(says[is_class])
                yield reader, origin, label, "specificity", *_proportion(~says[~is_class])


def _agreement(answers: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    tasks = {
        "real or synthetic": ("said", answers),
        "diagnosis of real images": ("diagnosis", answers[answers["origin"] == REAL]),
        "diagnosis of synthetic images": ("diagnosis", answers[answers["origin"] == SYNTHETIC]),
    }
    for first, second in combinations(sorted(set(answers["reader"])), 2):
        for task, (column, part) in tasks.items():
            both = part.pivot(index="case", columns="reader", values=column)
            if {first, second} <= set(both.columns):
                shared = both[[first, second]].dropna()
                yield first, second, task, *_kappa(shared[first], shared[second])


def _classifiers(key: ReaderKey, answers: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    for reader, own in _by_reader(answers):
        for classifier in key.cases[0].opinions:
            said = own["case"].map(lambda case, name=classifier: key.cases[case].opinions[name])
            for origin in (REAL, SYNTHETIC):
                part = own["origin"] == origin
                ours, theirs, label = (
                    column[part] for column in (own["diagnosis"], said, own["label"])
                )
                right = int((ours == label).sum()), int((theirs == label).sum())
                yield reader, classifier, origin, *_kappa(ours, theirs), *right


def _kappa(first: pd.Series, second: pd.Series) -> tuple[object, ...]:
    found = cohen_kappa(first.tolist(), second.tolist())
    return found.number, found.agreed, found.kappa, found.low, found.high


def _together(answers: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """Means over readers, on the images that all of them answered."""
    if answers["reader"].nunique() < LEAST_READERS:
        return
    told = answers["said"] == answers["origin"]
    named = answers["diagnosis"] == answers["label"]
    parts = {
        ("real or synthetic", "accuracy"): (told, (REAL, SYNTHETIC)),
        ("real or synthetic", "sensitivity"): (told, (SYNTHETIC,)),
        ("real or synthetic", "specificity"): (told, (REAL,)),
        ("diagnosis of real images", "accuracy"): (named, (REAL,)),
        ("diagnosis of synthetic images", "accuracy"): (named, (SYNTHETIC,)),
    }
    for (task, metric), (right, origins) in parts.items():
        part = answers.assign(right=right.astype(float))[answers["origin"].isin(origins)]
        wide = part.pivot(index="case", columns="reader", values="right").dropna()
        kinds = part.drop_duplicates("case").set_index("case")["origin"].loc[wide.index]
        found = reader_mean(wide.to_numpy(), pd.factorize(kinds)[0])
        yield task, metric, found.mean, found.low, found.high, found.readers, found.cases


def _times(key: ReaderKey, answers: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    for reader, own in _by_reader(answers):
        seconds = own["seconds"]
        low, middle, high = (float(seconds.quantile(share)) for share in (0.25, 0.5, 0.75))
        total = float(seconds.sum()) / 60
        yield reader, len(own), len(key.cases), middle, low, high, total
