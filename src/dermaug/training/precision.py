"""The precision in which a network is trained on this machine, measured on a CPU."""

import time
from collections.abc import Callable
from typing import Literal

from lightning_fabric import Fabric

from dermaug.training.fabric import multiplies_bfloat16, start_fabric

SLOWER = 1.25
"""How many times as long bfloat16 must take for float32 to be chosen; what is nearer depends on the
moment, and the same machine shall choose the same."""


def measured_precision(
    begin: Callable[[Fabric], Callable[[], object]], device: str = "auto", seconds: float = 1.0
) -> Literal["32-true", "bf16-mixed"]:
    """Take the same steps in float32 and in bfloat16 in turn, and tell which precision to use.

    Networks of depthwise convolutions are slower in bfloat16 on many CPUs that multiply matrices
    faster in it, so that the choice is one per network, not per machine. Results depend on it:
    choose once per run, not per worker. Processor time is compared, on which other programs have
    little influence. On a GPU nothing is measured.

    Args:
        begin: Begins a training on a device in a precision and returns its next step, such as
            `ClassifierSteps(...).take` or `GeneratorSteps(...).take`; called twice.
        device: As for `start_fabric`.
        seconds: Processor time for the measurement, about; at least two steps in each precision are
            timed, after one that is not.

    Returns:
        bfloat16 where the device multiplies in it faster, unless the steps are clearly slower.
    """
    fabric = start_fabric(device)
    if not multiplies_bfloat16(fabric.device):
        return "32-true"
    if fabric.device.type != "cpu":
        return "bf16-mixed"
    float32, bfloat16 = (begin(start_fabric(device, kind)) for kind in ("32-true", "bf16-mixed"))
    totals, taken = [0.0, 0.0], 0
    float32(), bfloat16()  # a first step sets up its operations
    while taken < 2 or sum(totals) < seconds:
        for place, step in enumerate((float32, bfloat16)):
            start = time.process_time()
            step()
            totals[place] += time.process_time() - start
        taken += 1
    return "32-true" if totals[1] > SLOWER * totals[0] else "bf16-mixed"
