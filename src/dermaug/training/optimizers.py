"""Optimisers whose step is one operation, and what they need on a device and in a checkpoint."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def rates_on(device: torch.device, optimizer: Optimizer) -> Optimizer:
    """Move the learning rates to a CUDA device, where a recorded step reads them.

    Args:
        device: Device of the weights; on others than CUDA rates stay numbers.
        optimizer: A fused optimiser, changed in place.
    """
    if device.type == "cuda":
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(float(group["lr"]), device=device)
    return optimizer


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Set the learning rate of a group of weights, without waiting for the device."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def load_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Load a saved state; settings, device and memory layout stay those of the optimiser.

    Checkpoints are contiguous. Fused optimisers read weights and averages in parallel as they lie
    in memory; with weights in channels_last, weights would be paired with the wrong averages.
    """
    own = [
        {name: value for name, value in group.items() if name != "params"}
        for group in optimizer.param_groups
    ]
    optimizer.load_state_dict(state)
    for group, settings in zip(optimizer.param_groups, own, strict=True):
        group.update(settings)
        for weight in group["params"]:
            averages = optimizer.state.get(weight, {})
            for name, value in averages.items():
                if isinstance(value, Tensor) and value.shape == weight.shape:
                    averages[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)
