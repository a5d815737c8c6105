"""Probabilities of many images from one classifier."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dermaug.data.augmentation import orientations
from dermaug.data.image_bank import ImageBank

BATCH = 256


@torch.inference_mode()
def predict(
    classifier: nn.Module,
    bank: ImageBank,
    rows: Int[np.ndarray, " m"] | None = None,
    *,
    views: int = 1,
) -> Float[np.ndarray, "m classes"]:
    """Softmax probabilities, float32, in the order of `rows` (all rows when None).

    Args:
        classifier: Left in evaluation mode.
        bank: Images.
        rows: Which of them.
        views: Orientations of each image whose probabilities are averaged, 1 to 8.
    """
    classifier.eval()
    rows = np.arange(len(bank)) if rows is None else rows
    parts = [
        _probabilities(classifier, bank.batch(rows[start : start + BATCH])[0], views)
        for start in range(0, len(rows), BATCH)
    ]
    return torch.cat(parts).cpu().numpy()


def _probabilities(
    classifier: nn.Module, images: Float[Tensor, "b c h w"], views: int
) -> Float[Tensor, "b classes"]:
    seen = [classifier(view).float().softmax(1) for view in orientations(images, views)]
    return torch.stack(seen).mean(0)
