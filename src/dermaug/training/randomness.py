"""Random numbers as a function of seed and step, so that a resume needs no stored state."""

import torch
from torch import Generator

from dermaug.seeding import derive_seed


class StepRandom:
    """Seeds the global generators (dropout) and a generator of the device anew at every step.

    Args:
        device: Device on which random numbers are drawn.
        seed: Seed of the training.
    """

    def __init__(self, device: torch.device, seed: int) -> None:
        self.device, self.seed = device, seed
        self.generator = Generator(device)
        """The generator of the device, always the same object."""
        self._global = _global_generator(device)
        self._present = 0

    @property
    def generators(self) -> tuple[Generator, Generator]:
        """The global generator of the device, and its own."""
        return self._global, self.generator

    def at(self, step: int) -> Generator:
        """The generator of a step; the same step always gives the same numbers."""
        self._present = derive_seed(self.seed, "step", step)
        return self.restart()

    def restart(self) -> Generator:
        """Begin the present step's numbers again."""
        torch.default_generator.manual_seed(self._present)
        self._global.manual_seed(self._present)
        return self.generator.manual_seed(self._present)

    def renew(self) -> None:
        """Give both generators of a CUDA device a new state, after a failed recording."""
        for generator in self.generators:
            generator.graphsafe_set_state(Generator(self.device).graphsafe_get_state())


def _global_generator(device: torch.device) -> Generator:
    """The generator from which layers such as dropout draw on a device."""
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    if device.type == "mps":
        return torch.mps._get_default_mps_generator()
    return torch.default_generator
