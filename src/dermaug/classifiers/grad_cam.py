"""Where a convolutional network looks (Grad-CAM, Selvaraju et al. 2017, arXiv:1610.02391)."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from dermaug.classifiers.ensemble import networks_of
from dermaug.classifiers.model import Classifier
from dermaug.errors import DermaugError


def grad_cam(
    classifier: Classifier, image: Float[Tensor, "1 3 h w"], label: int
) -> Float[Tensor, "h w"]:
    """How much each place of an image in [0, 1] speaks for a class, 0 to 1.

    The maps of the last layer that has places are weighted by their mean gradients (equations 1
    and 2) and enlarged to the image, so that only coarse places are told apart. The map of an
    ensemble is the mean of those of its networks.

    Expects a classifier in evaluation mode.

    Raises:
        DermaugError: The network has no such maps, as transformers do not.
    """
    normalised = (image - classifier.mean) / classifier.std
    networks = networks_of(classifier.network)
    return torch.stack([_heat(network, normalised, label) for network in networks]).mean(0)


def _heat(network: nn.Module, image: Float[Tensor, "1 3 h w"], label: int) -> Float[Tensor, "h w"]:
    """The map of one network, with a maximum of 1."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, _: Any, output: object) -> None:  # noqa: ANN401
        if not isinstance(output, Tensor):
            return
        if isinstance(module, nn.Linear) and output.ndim > 2:
            seen.clear()  # tokens, whose channels come last
        elif output.ndim == 4 and min(output.shape[2:]) > 1:
            seen[:] = [output]

    leaves = [module for module in network.modules() if not list(module.children())]
    handles = [module.register_forward_hook(keep) for module in leaves]
    try:
        with torch.enable_grad():
            logits = network(image.detach().clone().requires_grad_())
            if not seen:
                raise DermaugError(
                    "this network has no maps with places to look at; Grad-CAM is for "
                    "convolutional networks"
                )
            (maps,) = seen
            (gradients,) = torch.autograd.grad(logits[0, label], maps)
    finally:
        for handle in handles:
            handle.remove()
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    heat = relu((weights * maps).sum(dim=1, keepdim=True)).detach()
    wide = interpolate(heat, image.shape[2:], mode="bilinear", align_corners=False)[0, 0]
    return wide / wide.max().clamp_min(1e-12)
