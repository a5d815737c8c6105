"""Statements on leakage, each of which is checked against the run before it is printed."""

from dataclasses import dataclass

import pandas as pd

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Bullets, Section, Table
from dermaug.report.formats import counted
from dermaug.scoring.scores import on_test


def split_section(results: RunResults) -> Section:
    """Statements on leakage, then the sizes of the splits."""
    told = split_statements(results)
    checks = Bullets(tuple(each.text for each in told), tuple(each.holds for each in told))
    return Section("split", "Split and leakage", [checks, split_table(results)])


NO_PART = "not used (splits.lesions)"


@dataclass(frozen=True)
class Statement:
    """A sentence, and whether the property that it describes holds."""

    text: str
    holds: bool


def split_statements(results: RunResults) -> tuple[Statement, ...]:
    """Check that groups are not shared, generators saw training splits only, tests are complete."""
    checks = (_groups_apart, _groups_known, _generators_apart, _tests_complete)
    return tuple(statement for check in checks if (statement := check(results)) is not None)


def _groups_apart(results: RunResults) -> Statement:
    """State which grouping was used, and check that no group occurs in two splits."""
    catalog, unit = results.catalog, results.catalog.unit
    groups = pd.Series(catalog.groups, index=catalog.image_ids)
    shared: set[str] = set()
    for fold in results.folds:
        sets = [set(groups.loc[list(ids)]) for ids in fold.parts.values()]
        shared |= (sets[0] & sets[1]) | (sets[0] & sets[2]) | (sets[1] & sets[2])
    if shared:
        named = ", ".join(sorted(shared)[:5])
        return Statement(f"Leakage: {len(shared)} {unit}s occur in two splits ({named}).", False)
    strangers = int((catalog.table["patient_id"] == "").sum()) if unit == "patient" else 0
    rest = (
        f"; {strangers:,} images have no patient id and were split by lesion" if strangers else ""
    )
    return Statement(
        f"Images were split by {unit}: no {unit} occurs in two splits of a fold (checked for "
        f"{counted(len(results.folds), 'fold')} and {counted(groups.nunique(), 'group')}{rest}).",
        True,
    )


def _groups_known(results: RunResults) -> Statement | None:
    catalog = results.catalog
    named = catalog.table["patient_id"] != ""
    if named.any() and catalog.unit == "lesion":
        return Statement(
            "The data identify patients, but images were split by lesion (splits.group): lesions "
            "of one patient may lie in two splits, which makes every arm look better than it is.",
            False,
        )
    if catalog.grouped or named.all():
        return None
    return Statement(
        "The data set has no lesion ids: each image counts as its own lesion, so two images of one "
        "lesion may lie in two splits, which makes every arm look better than it is.",
        False,
    )


def _generators_apart(results: RunResults) -> Statement | None:
    if not results.generators:
        return None
    keys = {fold.index: fold.key for fold in results.folds}
    strangers = [
        f"{one.family}/{one.record.label}/fold{one.fold}-seed{one.seed}"
        for one in results.networks
        if one.record.fold_key != keys.get(one.fold)
    ]
    number = len(results.networks)
    if strangers:
        return Statement(
            f"{len(strangers)} of {number} generators do not store the key of their fold, so it is "
            "not shown that they were trained on its training split only: "
            f"{', '.join(strangers[:5])}.",
            False,
        )
    return Statement(
        f"Generators were trained on the training split of their fold only: {number} of {number} "
        "store the key of that fold, and a synthetic set with another key is refused.",
        True,
    )


def _tests_complete(results: RunResults) -> Statement | None:
    tests = {fold.index: pd.Index(fold.test).sort_values() for fold in results.folds}
    incomplete = [
        f"{trial.arm}/{trial.model}/fold{trial.fold}-seed{trial.seed}"
        for trial in results.trials
        if not pd.Index(on_test(trial)["image_id"]).sort_values().equals(tests[trial.fold])
    ]
    if incomplete:
        return Statement(
            f"{len(incomplete)} trials were not tested on exactly the test split of their fold: "
            f"{', '.join(incomplete[:5])}.",
            False,
        )
    if not results.trials:
        return None
    return Statement(
        f"All compared trials ({len(results.trials)}) were tested on exactly the test split of "
        "their fold.",
        True,
    )


def split_table(results: RunResults) -> Table:
    """Images, lesions and groups of each split of each fold."""
    lesions = results.catalog.table.set_index("image_id")["lesion_id"]
    groups = pd.Series(results.catalog.groups, index=lesions.index)
    rows = []
    for fold in results.folds:
        every = fold.parts
        used = pd.Index([image for ids in every.values() for image in ids])
        cut = lesions.index.difference(used)
        # A limit on training lesions (splits.lesions) leaves images in no split.
        for name, ids in (every | ({NO_PART: tuple(cut)} if len(cut) else {})).items():
            distinct = [f"{each.loc[list(ids)].nunique():,}" for each in (lesions, groups)]
            known = distinct if results.catalog.grouped else distinct[1:]
            rows.append((f"{fold.index}", name, f"{len(ids):,}", *known))
    unknown = "" if results.catalog.grouped else " Lesions are unknown."
    caption = (
        "Images, lesions and groups per split and fold. A group is what is kept in one split: see "
        f"the end of the page.{unknown}"
    )
    counts = ("Images", *(("Lesions",) if results.catalog.grouped else ()), "Groups")
    return Table(caption, ("Fold", "Split", *counts), tuple(rows), texts=2)
