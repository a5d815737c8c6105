"""Batch norm over the parts of a batch that several processes hold, on every device.

`torch.nn.SyncBatchNorm` does this on GPUs only. Statistics are those of the whole batch (Ioffe and
Szegedy 2015, arXiv:1502.03167, algorithm 1), and so are the running ones, in every process.
"""

from types import MethodType

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from dermaug.training.ranks import Ranks

Maps = Float[Tensor, "b c h w"]


def share_statistics(network: nn.Module, ranks: Ranks) -> None:
    """Let all batch norms of a network use the statistics of whole batches in training.

    Args:
        network: The network, changed in place; its parameters and their names stay the same.
        ranks: The processes; one alone changes nothing.
    """
    if ranks.is_alone:
        return

    def forward(layer: nn.BatchNorm2d, maps: Maps) -> Maps:
        return _normalised(layer, maps, ranks) if layer.training else _plainly(layer, maps)

    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.forward = MethodType(forward, layer)  # type: ignore[method-assign]


def _plainly(layer: nn.BatchNorm2d, maps: Maps) -> Maps:
    return nn.BatchNorm2d.forward(layer, maps)


def _normalised(layer: nn.BatchNorm2d, maps: Maps, ranks: Ranks) -> Maps:
    exact = maps.float()
    moments = torch.stack([exact.mean((0, 2, 3)), exact.square().mean((0, 2, 3))])
    mean, square = ranks.mean(moments)
    variance = (square - mean.square()).clamp(min=0.0)
    _remember(layer, mean.detach(), variance.detach(), ranks.number * maps[:, 0].numel())
    scale = layer.weight * (variance + layer.eps).rsqrt()
    scale, shift = (rearrange(each, "c -> c 1 1") for each in (scale, layer.bias - mean * scale))
    normalised: Maps = (exact * scale + shift).to(maps.dtype)
    return normalised


@torch.no_grad()
def _remember(layer: nn.BatchNorm2d, mean: Tensor, variance: Tensor, places: int) -> None:
    """Move the running statistics; the variance is the unbiased one, as in PyTorch."""
    assert layer.running_mean is not None
    assert layer.running_var is not None
    assert layer.momentum is not None
    layer.running_mean.lerp_(mean, layer.momentum)
    layer.running_var.lerp_(variance * (places / (places - 1)), layer.momentum)
    assert layer.num_batches_tracked is not None
    layer.num_batches_tracked.add_(1)
