"""Who gains: scores by sex, age, body site and estimated skin tone, with intervals by lesion."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from dermaug.data.skin_tone import TONES, catalog_skin_angles, tone_names
from dermaug.evaluation.discrimination import mean_defined
from dermaug.evaluation.malignancy import malignant_classes
from dermaug.evaluation.subgroups import (
    METRICS,
    UNKNOWN,
    age_band_names,
    age_bands,
    image_tallies,
    supports,
    tally_rates,
)
from dermaug.experiment.comparisons import control_arm
from dermaug.experiment.results import CellResult, RunResults
from dermaug.experiment.scores import held_out, label_arrays
from dermaug.stats.bootstrap import percentile_interval, resampled_totals

RESAMPLES = 2_000
FEWEST = 20
"""A metric that rests on fewer images than this is given without an interval."""
FEWEST_OF_CLASS = 5
"""A class with fewer images in a group is left out of the group's mean sensitivity: its own would
be all or nothing, and would come and go between bootstrap draws."""
MOST_SITES = 15
"""Body sites beyond the most frequent ones are put together."""
OTHER_SITES = "other sites"
COLUMNS = (
    "model",
    "grouping",
    "group",
    "metric",
    "arm",
    "reference",
    "value",
    "low",
    "high",
    "images",
    "lesions",
    "support",
    "classes",
)
Pair = tuple[int, int]
"""Fold and seed."""


def describe_groups(results: RunResults) -> pd.DataFrame:
    """The groups that each image belongs to, indexed by image_id.

    Returns:
        lesion_id, and as ordered categories sex, age, site and skin_tone. A lesion's tone is that
        of its images' median angle, so that it is not torn apart.
    """
    table = results.catalog.table
    angles = pd.Series(
        catalog_skin_angles(results.catalog, results.images, results.experiment.data)
    )
    of_lesion = angles.groupby(table["lesion_id"].to_numpy()).transform("median")
    site = table["localization"].astype(str)
    frequent = [name for name in site.value_counts().index if name != UNKNOWN][:MOST_SITES]
    site = site.where(site.isin([*frequent, UNKNOWN]), OTHER_SITES)
    groups: dict[str, tuple[Iterable[str], list[str]]] = {
        "sex": (table["sex"], ["female", "male"]),
        "age": (age_bands(table["age"].to_numpy(dtype=float)), age_band_names()),
        "site": (site, [*frequent, OTHER_SITES]),
        "skin_tone": (tone_names(of_lesion.to_numpy()), list(TONES)),
    }
    columns = {
        name: pd.Categorical(list(values), categories=[*order, UNKNOWN], ordered=True)
        for name, (values, order) in groups.items()
    }
    described = pd.DataFrame({"lesion_id": table["lesion_id"].to_numpy(), **columns})
    return described.set_index(pd.Index(table["image_id"], name="image_id"))


def score_subgroups(results: RunResults, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Scores of every arm, and differences to its control, in each group of test images.

    The test predictions of all folds are pooled for each seed, the metric is taken on the pool and
    averaged over seeds, for the folds and seeds that all arms of a classifier have finished.
    Intervals are a percentile bootstrap over the group's lesions; all arms see the same draws.

    Returns:
        model, grouping (sex, age, site, skin_tone), group, metric (of `METRICS`), arm, reference
        ("" for the arm's own score), value (a score or the difference arm - reference), low, high
        (95 %; NaN where support < `FEWEST`), images, lesions, support (the group's images; for
        malignant_sensitivity its malignant ones, for malignant_specificity the others), and
        classes: how many have `FEWEST_OF_CLASS` images in the group and make up
        balanced_accuracy, which is NaN when none has. A grouping with a single group is left out;
        so is malignancy where the classes are not HAM10000's.
    """
    models = list(dict.fromkeys(cell.model for cell in results.cells))
    groups = describe_groups(results) if models else pd.DataFrame()
    rows = []
    for model in models:
        arms, pairs = _shared(results, model)
        if not pairs:
            continue
        images, tallies = _tallies(results, model, arms, pairs)
        described = groups.loc[images]
        for grouping, group, inside in _each_group(described):
            lesions = described["lesion_id"][inside]
            found = _score_group(results, arms, tallies[inside], lesions, resamples)
            rows += [{"model": model, "grouping": grouping, "group": group, **row} for row in found]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def references(results: RunResults, arms: Sequence[str]) -> list[tuple[str, str]]:
    """(arm, control) of every arm: the arm without its synthetic images, or else the first one."""
    first = results.experiment.arms[0].name
    pairs = [(arm, control_arm(results, arm) or first) for arm in arms]
    return [(arm, control) for arm, control in pairs if arm != control and control in arms]


def _each_group(described: pd.DataFrame) -> Iterator[tuple[str, str, Bool[np.ndarray, " n"]]]:
    """Grouping, group and which images are in it; what divides nobody is left out."""
    for grouping in described.columns.drop("lesion_id"):
        present = described[grouping].cat.remove_unused_categories().cat.categories
        if len(present) > 1:
            for group in present:
                yield str(grouping), str(group), (described[grouping] == group).to_numpy()


def _shared(results: RunResults, model: str) -> tuple[list[str], list[Pair]]:
    """The arms of a classifier that have begun, and the folds and seeds that all of them have."""
    done: dict[str, set[Pair]] = {}
    for cell in results.cells:
        if cell.model == model:
            done.setdefault(cell.arm, set()).add((cell.fold, cell.seed))
    return list(done), sorted(set.intersection(*done.values()))


def _tallies(
    results: RunResults, model: str, arms: Sequence[str], pairs: Sequence[Pair]
) -> tuple[pd.Index, Float[np.ndarray, "n a s 2 c"]]:
    """Tested images, and what each adds to the counts of each arm and seed."""
    cells = {
        (cell.arm, cell.fold, cell.seed): cell for cell in results.cells if cell.model == model
    }
    images = pd.Index(
        sorted({name for pair in pairs for name in held_out(cells[arms[0], *pair])["image_id"]})
    )
    seeds = sorted({seed for _, seed in pairs})
    shape = (len(images), len(arms), len(seeds), 2, results.catalog.num_classes + 2)
    tallies = np.zeros(shape)
    for place, arm in enumerate(arms):
        for fold, seed in pairs:
            rows, values = _cell_tallies(cells[arm, fold, seed], results, images)
            tallies[rows, place, seeds.index(seed)] = values
    return images, tallies


def _cell_tallies(
    cell: CellResult, results: RunResults, images: pd.Index
) -> tuple[np.ndarray, np.ndarray]:
    test = held_out(cell)
    malignant = malignant_classes(results.catalog.classes)
    values = image_tallies(*label_arrays(test, results), malignant)
    return images.get_indexer(pd.Index(test["image_id"])), values


def _score_group(
    results: RunResults,
    arms: Sequence[str],
    tallies: Float[np.ndarray, "n a s 2 c"],
    lesions: pd.Series,
    resamples: int,
) -> list[dict[str, str | float | int]]:
    """Rows of one group: each arm's metrics, then each difference's."""
    # An image counts once, however many seeds have tested it.
    images = tallies.max(axis=(1, 2)).sum(axis=0)
    support = supports(images)
    rare = images[1] < FEWEST_OF_CLASS
    rare[-2:] = False  # malignant and benign have their own support
    codes, names = pd.factorize(lesions)
    counts = np.zeros((len(names), *tallies.shape[1:]))
    np.add.at(counts, codes, np.where(rare, 0.0, tallies))
    value, drawn = _over_seeds(counts.sum(axis=0)), _over_seeds(resampled_totals(counts, resamples))
    rows: list[dict[str, str | float | int]] = []
    for metric in (name for name in METRICS if support[name]):
        for arm, reference in [*((arm, "") for arm in arms), *references(results, arms)]:
            signs = np.zeros(len(arms))
            signs[arms.index(arm)] = 1.0
            if reference:
                signs[arms.index(reference)] = -1.0
            low, high = np.nan, np.nan
            if support[metric] >= FEWEST:
                low, high = percentile_interval(drawn[metric] @ signs)
            rows.append(
                {
                    "metric": metric,
                    "arm": arm,
                    "reference": reference,
                    "value": float(value[metric] @ signs),
                    "low": low,
                    "high": high,
                    "images": len(lesions),
                    "lesions": len(names),
                    "support": support[metric],
                    "classes": int((~rare[:-2]).sum()),
                }
            )
    return rows


def _over_seeds(counts: Float[np.ndarray, "... a s 2 c"]) -> dict[str, np.ndarray]:
    """Metrics averaged over the seeds where they are defined."""
    return {
        name: mean_defined(values, ~np.isnan(values))
        for name, values in tally_rates(counts).items()
    }
