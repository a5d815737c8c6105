"""An arm's dose chosen from a pool of generated images, judged by the fold's own classifier."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool

from dermaug.config.arms import CurationConfig
from dermaug.console import progress_bar
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.arms import take_dose
from dermaug.experiment.doses import pool_size
from dermaug.experiment.jobs import ClassifierJob
from dermaug.experiment.judges import Judge, cell_judge
from dermaug.experiment.runs import Run
from dermaug.generators.checkpoint import load_generator
from dermaug.generators.state import GENERATOR
from dermaug.synthesis.curation import (
    copy_mask,
    drop_duplicates,
    keep_confident,
    keep_typical,
)
from dermaug.synthesis.sampling import sample
from dermaug.synthesis.synthetic_set import SyntheticSet

Removed = dict[str, dict[str, int | None]]
"""Label -> rule -> images that it would leave out, with `wanted`, `pool` and `kept`; None: it could
not be judged."""


def curated_dose(
    run: Run,
    job: ClassifierJob,
    fold: Fold,
    sets: Sequence[SyntheticSet],
    dose: Mapping[str, int],
    device: torch.device,
) -> tuple[np.ndarray, list[str], Removed]:
    """The first images of each class that pass, as many as the dose where there are so many.

    Args:
        run: The run.
        job: The cell that is given the images; its arm has a curation.
        fold: Its fold, reduced as the cell is.
        sets: What its generators drew.
        dose: Images wanted of each class.
        device: Where the judge looks.

    Returns:
        Images, their labels, and what was removed.

    Raises:
        DermaugError: The judge is not trained yet, or a set leaks.
    """
    synthetic = job.mixture.synthetic
    assert synthetic is not None
    assert synthetic.curation is not None
    judge = cell_judge(run, job, device)
    wanted = {label: pool_size(number, synthetic) for label, number in dose.items() if number}
    images, names = take_dose(sets, wanted, fold, job.key)
    if wanted and synthetic.curation.spread != 1.0:
        images = _drawn_anew(run, job, sets, wanted, synthetic.curation.spread, device)
    parts, labels, removed = [], [], Removed()
    with progress_bar(f"choosing images for {job.title}", sum(wanted.values())) as advance:
        for label in wanted:
            pool = images[np.asarray(names) == label]
            kept, record = _judged(run, fold, judge, pool, label, synthetic.curation)
            removed[label] = {"wanted": dose[label], **record}
            chosen = pool[kept][: dose[label]]
            parts.append(chosen)
            labels += [label] * len(chosen)
            advance(len(pool))
    size = run.experiment.data.size
    return np.concatenate([np.empty((0, size, size, 3), np.uint8), *parts]), labels, removed


def _judged(
    run: Run,
    fold: Fold,
    judge: Judge,
    pool: np.ndarray,
    label: str,
    rules: CurationConfig,
) -> tuple[Bool[np.ndarray, " n"], dict[str, int | None]]:
    rows = {
        part: found[run.catalog.table["label"].to_numpy()[found] == label]
        for part, found in (
            ("seen", run.catalog.rows(fold.train)),
            ("held_out", run.catalog.rows(fold.validation)),
        )
    }
    training = np.asarray(run.images[rows["seen"]])
    masks: dict[str, Bool[np.ndarray, " n"] | None] = {}
    if rules.drop_copies:
        held_out = np.asarray(run.images[rows["held_out"]])
        lesions = run.catalog.table["lesion_id"].to_numpy()[rows["held_out"]]
        try:
            masks["copies"] = ~copy_mask(pool, training, held_out, judge.features, lesions)
        except DermaugError:  # no held-out lesion of this class to calibrate on
            masks["copies"] = None
    if rules.drop_duplicates:
        masks["duplicates"] = drop_duplicates(pool, training) if len(training) > 1 else None
    if rules.confidence > 0.0:
        masks["unconfident"] = keep_confident(judge.probability(pool, label), rules.confidence)
    if rules.typical < 1.0:
        real = judge.features(training)
        masks["atypical"] = keep_typical(judge.features(pool), real, rules.typical)
    kept = np.ones(len(pool), dtype=bool)
    for mask in masks.values():
        kept &= True if mask is None else mask
    record = {name: None if mask is None else int((~mask).sum()) for name, mask in masks.items()}
    return kept, {"pool": len(pool), **record, "kept": int(kept.sum())}


def _drawn_anew(
    run: Run,
    job: ClassifierJob,
    sets: Sequence[SyntheticSet],
    wanted: Mapping[str, int],
    spread: float,
    device: torch.device,
) -> np.ndarray:
    """The pool from the same latents, scaled by a factor; in the order of `wanted`."""
    parts: dict[str, np.ndarray] = {}
    for key, drawn in zip(job.generators, sets, strict=True):
        sampler, spec = load_generator(run.folder / key / GENERATOR, device)
        for label in set(spec.classes) & set(wanted):
            place, seed = spec.classes.index(label), drawn.provenance.seed
            parts[label] = sample(sampler, place, wanted[label], seed, spread=spread)
    return np.concatenate([parts[label] for label in wanted])
