"""Random numbers as a function of seed and step, so that a resume needs no stored state."""

import torch
from torch import Generator

from dermaug.seeding import derive_seed


class StepRandom:
    """Seeds the global generator (dropout) and a generator of the device anew at every step.

    Args:
        device: Device on which random numbers are drawn.
        seed: Seed of the training.
    """

    def __init__(self, device: torch.device, seed: int) -> None:
        self.seed = seed
        self._generator = Generator(device)

    def at(self, step: int) -> Generator:
        """The generator of a step; the same step always gives the same numbers."""
        seed = derive_seed(self.seed, "step", step)
        torch.manual_seed(seed)
        return self._generator.manual_seed(seed)
