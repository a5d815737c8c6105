"""Batch norm that normalises an arm's dose apart from the real images while a network trains.

Chang et al. 2019 (arXiv:1906.03950) and Xie et al. 2020 (arXiv:1911.09665): images of two origins
share the convolutions, not the statistics. Predictions know real images only, so that what is
learnt for the dose is left behind with the training.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dermaug.errors import DermaugError

DOSED = "dosed"


class DosedNorm(nn.BatchNorm2d):
    """A batch norm with a second one for the dose, the last images of each training batch.

    Args are those of the layer that `separate_dose` turns into one.
    """

    dosed: nn.BatchNorm2d
    real: int
    """Real images of the batch, the first ones."""
    batch: int
    """All images of the batch."""

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Each part by its own statistics; all by those of the real images when evaluating."""
        if not self.training:
            return super().forward(maps)
        # Networks that attend within windows make several maps of an image, one after the other.
        real, dose = maps.tensor_split([len(maps) * self.real // self.batch])
        parts: list[Tensor] = []
        if len(real):
            self.training = _varies(real)
            parts.append(super().forward(real))
            self.training = True
        if len(dose):
            self.dosed.training = _varies(dose)
            parts.append(self.dosed(dose))
        return torch.cat(parts)


def _varies(maps: Tensor) -> bool:
    """One map of one pixel has no variance: the running one is taken."""
    return maps.shape[0] * maps.shape[2] * maps.shape[3] > 1


def expect(norms: Iterable[DosedNorm], real: int, batch: int) -> None:
    """Tell layers what the next batch of a training is: real images first, then the dose."""
    for norm in norms:
        norm.real, norm.batch = real, batch


def separate_dose(network: nn.Module, name: str) -> tuple[DosedNorm, ...]:
    """Give each batch norm of a network a second one for the dose, a copy of itself.

    Args:
        network: Changed in place; names of its parameters stay, those of the copies are new.
        name: The network's, for the error.

    Returns:
        The layers; `expect` must tell them of each training batch.

    Raises:
        DermaugError: The network has no batch norm, or some that is not of maps.
    """
    # The base of all, 1d and synchronised ones too, has no public name.
    every = [each for each in network.modules() if isinstance(each, _BatchNorm)]
    layers = [each for each in every if isinstance(each, nn.BatchNorm2d)]
    if not layers or len(layers) < len(every):
        found = f"{len(every) - len(layers)} of another kind" if every else "none"
        raise DermaugError(
            "synthetic.own_norm: expected classifiers whose batch norm is BatchNorm2d, found "
            f"{name}, which has {found}; choose another model (resnet18, mobilenetv1_100, ...) or "
            "leave own_norm out"
        )
    for layer in layers:
        layer.add_module(DOSED, copy.deepcopy(layer))
        # A type on top of the layer's own, which may have an activation in it (timm's).
        kind = type(layer)
        layer.__class__ = cast(
            type[nn.BatchNorm2d], type(f"Dosed{kind.__name__}", (DosedNorm, kind), {})
        )
    return tuple(layer for layer in layers if isinstance(layer, DosedNorm))


def without_dose(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a network as they were named before `separate_dose`."""
    return {name: value for name, value in state.items() if DOSED not in name.split(".")}
