"""Predict the class probabilities of many images with one classifier."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from dermaug.console import Advance
from dermaug.data.augmentation import orientations
from dermaug.data.image_bank import ImageBank

BATCH = 256
PIXELS = 2**23
"""Pixels per batch on a GPU, which small batches would leave idle, if these are more images."""


@torch.inference_mode()
def predict(
    classifier: nn.Module,
    bank: ImageBank,
    *,
    views: int = 1,
    advance: Advance | None = None,
) -> Float[np.ndarray, "n classes"]:
    """Softmax probabilities of all images, float32, by a classifier set to evaluation mode.

    Args:
        classifier: From images in [0, 1] to logits.
        bank: Images.
        views: Number of orientations of each image over which probabilities are averaged, 1 to 8.
        advance: Called with the number of images of each batch.
    """
    classifier.eval()
    batch = max(BATCH, PIXELS // bank.side**2) if bank.device.type == "cuda" else BATCH
    parts = []
    for start in range(0, len(bank), batch):
        images, _ = bank.batch(np.arange(start, min(start + batch, len(bank))))
        parts.append(_probabilities(classifier, images, views))
        if advance is not None:
            advance(len(images))
    return torch.cat(parts).cpu().numpy()


def _probabilities(
    classifier: nn.Module, images: Float[Tensor, "b c h w"], views: int
) -> Float[Tensor, "b classes"]:
    # Restore the memory layout after rotation; convolutions are 50 % slower without it.
    turned = (
        view.contiguous(memory_format=torch.channels_last) for view in orientations(images, views)
    )
    return torch.stack([classifier(view).float().softmax(1) for view in turned]).mean(0)
