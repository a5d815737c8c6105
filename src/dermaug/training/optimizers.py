"""Optimisers that go on where they were, whatever the layout of their weights in memory."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def load_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Load a saved state and lay it out in memory as the weights are.

    Checkpoints hold plain rows. Fused optimisers read weights and averages side by side as they lie
    in memory: with weights in channels_last they would pair each weight with another's average.

    Args:
        optimizer: Of the same weights as the saved one.
        state: Returned by its `state_dict`.
    """
    optimizer.load_state_dict(state)
    for group in optimizer.param_groups:
        for weight in group["params"]:
            averages = optimizer.state.get(weight, {})
            for name, value in averages.items():
                if isinstance(value, Tensor) and value.shape == weight.shape:
                    averages[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)
