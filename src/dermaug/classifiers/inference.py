"""Probabilities of many images from one classifier."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from dermaug.data.image_bank import ImageBank

BATCH = 256


@torch.inference_mode()
def predict(
    classifier: nn.Module, bank: ImageBank, rows: Int[np.ndarray, " m"] | None = None
) -> Float[np.ndarray, "m classes"]:
    """Softmax probabilities, float32, in the order of `rows` (all rows when None).

    The classifier is left in evaluation mode.
    """
    classifier.eval()
    rows = np.arange(len(bank)) if rows is None else rows
    parts = [
        classifier(bank.batch(rows[start : start + BATCH])[0]).float().softmax(1)
        for start in range(0, len(rows), BATCH)
    ]
    return torch.cat(parts).cpu().numpy()
