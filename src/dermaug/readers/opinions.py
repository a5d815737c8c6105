"""What the classifiers of a run say of the images of a reader test."""

import numpy as np
import torch
from jaxtyping import UInt8

from dermaug.evaluation.readouts import prior_adjusted, prior_array
from dermaug.experiment.run.artefacts import recorded_checkpoint
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.results import RunResults
from dermaug.experiment.stages.judges import classifier_judge


def classifier_opinions(
    results: RunResults, fold: int, images: UInt8[np.ndarray, "n h w 3"], device: torch.device
) -> dict[str, list[str]]:
    """The class that each classifier assigns to each image, prior-adjusted.

    Only classifiers that were trained on real images alone are asked, in the fold of the test; the
    probabilities of their seeds are averaged.

    Returns:
        "arm, model" -> a label per image; arms whose checkpoints were deleted are left out.
    """
    arms = {arm.name for arm in results.experiment.compared_arms if arm.is_reference}
    sums: dict[str, np.ndarray] = {}
    for trial in results.trials:
        checkpoint = JobFolder(trial.folder).classifier
        if trial.arm not in arms or trial.fold != fold or not checkpoint.is_file():
            continue
        judge = classifier_judge(recorded_checkpoint(checkpoint), device)
        prior = prior_array(trial.record.prior, results.catalog.classes)
        even = prior_adjusted(judge.probabilities(images), prior)
        name = f"{trial.arm}, {trial.model}"
        sums[name] = sums.get(name, 0.0) + even
    classes = results.catalog.classes
    return {
        name: [classes[int(place)] for place in total.argmax(axis=1)]
        for name, total in sums.items()
    }
