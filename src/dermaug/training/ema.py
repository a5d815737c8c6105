"""Exponential moving average of a network's weights (Polyak averaging)."""

import copy

import torch
from torch import Tensor, nn


class Ema:
    """A moving average of the weights of a network.

    The decay is min(decay, (1 + steps) / (10 + steps)), which rises to its final value, so that the
    initial weights are soon forgotten.

    Args:
        module: The network to follow, already on its device.
        decay: Fraction of the average that is kept at each step, 0 to below 1.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay
        # Walked once: in a small network, walking it takes as long as averaging it.
        self._average, self._current = _floating(self.module), _floating(module)
        self._share: float | Tensor = 1.0
        if self._average and self._average[0].is_cuda:
            self._share = torch.ones((), device=self._average[0].device)

    def at(self, step: int) -> None:
        """Set the decay of the next update, which follows the `step`-th one, counted from 0."""
        share = 1.0 - min(self.decay, (1 + step) / (10 + step))
        if isinstance(self._share, Tensor):
            self._share.fill_(share)
        else:
            self._share = share

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the network; on a CUDA device, with the decay in a tensor (`Replayed`)."""
        if isinstance(self._share, Tensor):
            moves = torch._foreach_sub(self._current, self._average)
            torch._foreach_mul_(moves, self._share)
            torch._foreach_add_(self._average, moves)
        else:
            torch._foreach_lerp_(self._average, self._current, self._share)

    def state_dict(self) -> dict[str, Tensor]:
        """The average's weights and buffers."""
        return dict(self.module.state_dict())

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore a saved average."""
        self.module.load_state_dict(state)


def _floating(module: nn.Module) -> list[Tensor]:
    return [value for value in module.state_dict().values() if value.is_floating_point()]
