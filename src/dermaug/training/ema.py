"""Exponential moving average of a network's weights (Polyak averaging)."""

import copy

import torch
from torch import Tensor, nn


class Ema:
    """A moving average of the weights of a network.

    The decay is min(decay, (1 + steps) / (10 + steps)), which rises to its final value, so that the
    initial weights are soon forgotten.

    Args:
        module: The network to follow.
        decay: Fraction of the average that is kept at each step, 0 to below 1.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards `module` after its `step`-th update, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        average, current = _floating(self.module), _floating(module)
        torch._foreach_lerp_(average, current, 1.0 - decay)

    def state_dict(self) -> dict[str, Tensor]:
        """The average's weights and buffers."""
        return dict(self.module.state_dict())

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore a saved average."""
        self.module.load_state_dict(state)


def _floating(module: nn.Module) -> list[Tensor]:
    return [value for value in module.state_dict().values() if value.is_floating_point()]
