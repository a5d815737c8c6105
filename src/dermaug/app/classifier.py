"""The tab in which a classifier of the run looks at an uploaded image. Not a medical device."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from einops import rearrange
from jaxtyping import UInt8

from dermaug.app.opened import Captioned, Listed, Opened, features_of_training
from dermaug.app.safety import uploaded_square
from dermaug.classifiers.grad_cam import grad_cam
from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError
from dermaug.evaluation.calibration import with_temperature
from dermaug.evaluation.neighbours import nearest_groups
from dermaug.experiment.run.results import TrialResult
from dermaug.experiment.stages.judges import Judge
from dermaug.scoring.scores import adjusted, natural

DISCLAIMER = (
    "For research only: not a medical device, and not for diagnosis. A network of a study has been "
    "tested on images of that study's kind only; what it says of other photographs means nothing."
)
COLUMNS = ("Class", "Prior-adjusted", "Natural prevalence", "Natural prevalence, calibrated")
NEAREST = 6
SAME = 1e-3
"""Distance in features, relative to their length, below which two images are one."""


@dataclass(frozen=True, eq=False)
class Opinion:
    """What a classifier says of an image.

    Args:
        square: What the network saw of the image.
        table: One row per class with the columns of `COLUMNS`, in percent.
        heat: The image with Grad-CAM of the class of highest prior-adjusted probability.
        nearest: Nearest training lesions, each with its id, class and distance in features.
        words: What must be known to read them, in Markdown.
    """

    square: UInt8[np.ndarray, "s s 3"]
    table: pd.DataFrame
    heat: UInt8[np.ndarray, "s s 3"] | None
    nearest: Listed
    words: str

    @property
    def seen(self) -> list[Captioned]:
        """The square, and the square with Grad-CAM if there is one."""
        heat = [] if self.heat is None else [(self.heat, "Grad-CAM")]
        return [(self.square, "seen"), *heat]


def ask(opened: Opened, trial: TrialResult, content: bytes) -> Opinion:
    """Let a classifier of the run look at an uploaded file.

    Raises:
        DermaugError: The file cannot be used, or the classifier needs a segmentation.
    """
    if trial.record.data.crop == "lesion":
        raise DermaugError(
            "this classifier was trained on lesion crops and needs a segmentation: use "
            "`dermaug predict MODEL IMAGE --masks FOLDER`"
        )
    judge = opened.classifier(trial).judge
    assert judge.size is not None  # a classifier's
    square = uploaded_square(content, judge.size)
    own = judge.probabilities(square[None])
    even, usual = (read(trial, own, opened.results) for read in (adjusted, natural))
    temperature = _temperature(opened, trial)
    nearest, same = _nearest(opened, trial, judge, square)
    heat, remark = _heat(judge, square, int(even[0].argmax()))
    words = [
        _read(judge.classes, even[0], usual[0]),
        remark,
        "Prior-adjusted: all classes equally frequent. Natural prevalence: as frequent as in the "
        f"training split of fold {trial.fold}, which is not that of a practice. Calibrated: with "
        f"the temperature {temperature:.2f}, fitted on the validation split of this classifier.",
    ]
    if same:
        words.insert(0, f"**{same} is in the training split: this says nothing of new images.**")
    table = pd.DataFrame({"Class": [class_words(name) for name in judge.classes]})
    readings = (even, usual, with_temperature(usual, temperature))
    for name, values in zip(COLUMNS[1:], readings, strict=True):
        table[name] = [f"{value:.1%}" if np.isfinite(value) else "–" for value in values[0]]
    return Opinion(square, table, heat, nearest, "\n\n".join(words))


def _temperature(opened: Opened, trial: TrialResult) -> float:
    """The temperature that the scoring has fitted on the validation split of this trial."""
    table = opened.scoring.calibration
    place = trial.record.coordinates
    own = (table[list(place)] == list(place.values())).all(axis=1)
    return float(table.loc[own, "temperature"].iloc[0])


def _read(classes: tuple[str, ...], even: np.ndarray, usual: np.ndarray) -> str:
    first, other = (
        f"{class_words(classes[int(each.argmax())])} ({each.max():.0%})" for each in (even, usual)
    )
    return f"Highest prior-adjusted probability: {first}; at the natural prevalence: {other}."


def _heat(
    judge: Judge, square: UInt8[np.ndarray, "s s 3"], label: int
) -> tuple[UInt8[np.ndarray, "s s 3"] | None, str]:
    """The image reddened where it speaks for the class, and how to read that."""
    assert judge.classifier is not None
    image = rearrange(torch.from_numpy(square).to(judge.device), "h w c -> 1 c h w") / 255.0
    try:
        heat = grad_cam(judge.classifier, image, label).cpu().numpy()[..., None]
    except DermaugError as error:
        return None, f"No Grad-CAM: {error.message}."
    red = np.array([230.0, 30.0, 30.0])
    mixed = square * (1 - 0.6 * heat) + red * 0.6 * heat
    return mixed.round().astype(np.uint8), (
        f"Red: where the image speaks for {class_words(judge.classes[label])} (Grad-CAM, coarse; "
        "it shows where the network looks, not why it is right)."
    )


def _nearest(
    opened: Opened, trial: TrialResult, judge: Judge, square: UInt8[np.ndarray, "s s 3"]
) -> tuple[Listed, str]:
    """The nearest training lesions in the network's features; the id of one that is the image."""
    rows, known = features_of_training(opened, judge, trial.fold)
    (own,) = judge.features(square[None])
    distances = np.linalg.norm(known.astype(np.float64) - own, axis=1)
    table, images = opened.results.catalog.table, opened.images
    order = nearest_groups(distances, opened.lesions(rows), NEAREST)
    chosen = rows[order]
    told = [
        f"{each['image_id']}: {class_words(each['label'])}, distance {distances[place]:.2f}"
        for each, place in zip(table.iloc[chosen].to_dict("records"), order, strict=True)
    ]
    first = order[0]
    is_same = distances[first] <= SAME * float(np.linalg.norm(own))
    return Listed.of(images(chosen), told), str(
        table["image_id"].iloc[rows[first]]
    ) if is_same else ""
