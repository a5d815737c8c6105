"""Several networks as one classifier (deep ensembles; Lakshminarayanan 2017, arXiv:1612.01474)."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dermaug.training.weights import heads_of


class Ensemble(nn.Module):
    """Networks of one kind, from normalised images to logits, whose probabilities are averaged."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes"]:
        """Logarithm of the mean probabilities."""
        logits = torch.stack([network(images) for network in self.networks])
        return logits.float().log_softmax(2).logsumexp(0) - math.log(len(self.networks))

    def get_classifier(self) -> tuple[nn.Module, ...]:
        """The heads of all networks; named as in timm."""
        return tuple(head for network in self.networks for head in heads_of(network))

    @property
    def pretrained_cfg(self) -> Any:  # noqa: ANN401
        """Mean and standard deviation of the inputs, which all networks share; named as in timm."""
        return self.networks[0].pretrained_cfg


def networks_of(network: nn.Module) -> list[nn.Module]:
    """The networks of an ensemble, or the network itself."""
    return list(network.networks) if isinstance(network, Ensemble) else [network]
