"""Means of losses over many steps, summed where they are computed."""

from collections.abc import Mapping

import torch
from torch import Tensor


class RunningMeans:
    """Sums named scalars on their device, so that no step waits for it and none is kept.

    A scalar may be a view of a tensor as large as a batch; keeping one per step would fill the
    memory. Sums are float64, float32 where a device has nothing wider.

    Example:
        >>> means = RunningMeans()
        >>> means.add({"loss": torch.tensor(1.0, dtype=torch.bfloat16)})
        >>> means.add({"loss": torch.tensor(2.0, dtype=torch.bfloat16)})
        >>> means.take()
        {'loss': 1.5}
        >>> means.take()
        {}
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        """Name -> the sum, and the number of its terms."""

    @torch.no_grad()
    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add one step's scalars, without waiting for the device."""
        for name, value in values.items():
            if name not in self._sums:
                kind = torch.float32 if value.device.type == "mps" else torch.float64
                self._sums[name] = torch.zeros(2, dtype=kind, device=value.device)
            total, number = self._sums[name]
            total.add_(value)
            number.add_(1.0)

    def take(self) -> dict[str, float]:
        """The mean of each scalar since the last call, and begin anew; waits for the device."""
        told = {name: each.tolist() for name, each in self._sums.items()}
        for each in self._sums.values():
            each.zero_()
        return {name: total / number for name, (total, number) in told.items() if number}

    def state_dict(self) -> dict[str, Tensor]:
        """The sums so far."""
        return dict(self._sums)

    def load_state_dict(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Go on with sums that `state_dict` returned."""
        self._sums = {name: sums.to(device) for name, sums in state.items()}
