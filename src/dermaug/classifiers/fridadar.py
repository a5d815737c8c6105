"""The CNN of Frid-Adar et al. 2018 (arXiv:1803.01229, section III-A)."""

from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dermaug.errors import DermaugError

SMALLEST_SIDE = 22
WIDTHS = (32, 64, 128)


class FridAdar(nn.Module):
    """Three 3x3 convolutions with ReLU and max-pooling, a dense layer with dropout, and a head.

    Valid padding; 1,273,347 parameters for 1 channel, 3 classes and 64 pixels.

    Args:
        size: Side of the square images in pixels, at least 22.
        dropout: Fraction of the dense layer's outputs that is dropped, 0 to below 1.

    Example:
        >>> sum(p.numel() for p in FridAdar(channels=1, num_classes=3, size=64).parameters())
        1273347
    """

    def __init__(
        self, channels: int = 3, num_classes: int = 7, size: int = 64, dropout: float = 0.5
    ) -> None:
        super().__init__()
        if size < SMALLEST_SIDE:
            raise DermaugError(
                f"fridadar needs images of at least {SMALLEST_SIDE} pixels; data.size is {size}"
            )
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for stage, (inputs, outputs) in enumerate(zip((channels, *WIDTHS), WIDTHS, strict=False)):
            layers[f"conv{stage}"] = nn.Conv2d(inputs, outputs, 3)
            layers[f"relu{stage}"] = nn.ReLU(inplace=True)
            layers[f"pool{stage}"] = nn.MaxPool2d(2)
            size = (size - 2) // 2
        self.backbone = nn.Sequential(layers)
        self.dense = nn.Linear(WIDTHS[-1] * size * size, 256)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(256, num_classes)

    def forward_features(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 256"]:
        """Outputs of the dense layer."""
        return torch.relu(self.dense(self.backbone(images).flatten(1)))

    def forward_head(
        self, features: Float[Tensor, "b 256"], *, pre_logits: bool = False
    ) -> Float[Tensor, "b d"]:
        """Logits or, with `pre_logits`, the input of the head; named as in timm."""
        logits: Tensor = features if pre_logits else self.head(self.dropout(features))
        return logits

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes"]:
        """Logits."""
        return self.forward_head(self.forward_features(images))

    def get_classifier(self) -> nn.Module:
        """The head; named as in timm."""
        return self.head
