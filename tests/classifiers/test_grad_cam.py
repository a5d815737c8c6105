"""Where a network looks."""

import pytest
import torch
from torch import nn

from dermaug.classifiers.grad_cam import grad_cam
from dermaug.classifiers.model import Classifier
from dermaug.errors import DermaugError

UNCHANGED = ((0.0,) * 3, (1.0,) * 3)
"""Mean and standard deviation of a normalisation that changes nothing."""


class Patches(nn.Module):
    """Tokens of patches, as in a transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.cut, self.head = nn.Conv2d(3, 4, 8, 8), nn.Linear(4, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.cut(images).flatten(2).mT).mean(1)
        return logits


def test_the_place_that_the_logit_reads_is_hot() -> None:
    conv = nn.Conv2d(3, 1, 1)
    nn.init.ones_(conv.weight)
    nn.init.zeros_(conv.bias)
    network = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2)).eval()
    with torch.no_grad():
        network[3].weight.copy_(torch.tensor([[1.0], [-1.0]]))
    image = torch.zeros(1, 3, 16, 16)
    image[:, :, 2:5, 9:12] = 1.0
    classifier = Classifier(network, *UNCHANGED)
    heat = grad_cam(classifier, image, 0)
    assert torch.equal(heat > 0.5, image[0, 0] > 0.5)
    assert heat.max() == 1.0
    assert not grad_cam(classifier, image, 1).any()  # the other class reads it as evidence against
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_of_tokens_has_no_map() -> None:
    with pytest.raises(DermaugError, match="convolutional"):
        grad_cam(Classifier(Patches(), *UNCHANGED).eval(), torch.rand(1, 3, 16, 16), 0)
