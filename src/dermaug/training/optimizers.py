"""Restore optimisers independently of the memory layout of their weights."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def load_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Load a saved state and convert it to the memory layout of the weights.

    Checkpoints are contiguous. Fused optimisers read weights and averages in parallel as they lie
    in memory; with weights in channels_last, weights would be paired with the wrong averages.

    Args:
        optimizer: An optimiser of the same weights as the saved one.
        state: Returned by its `state_dict`.
    """
    optimizer.load_state_dict(state)
    for group in optimizer.param_groups:
        for weight in group["params"]:
            averages = optimizer.state.get(weight, {})
            for name, value in averages.items():
                if isinstance(value, Tensor) and value.shape == weight.shape:
                    averages[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)
