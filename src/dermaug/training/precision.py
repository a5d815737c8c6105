"""The precision in which a network trains faster on this machine, measured."""

import time
from collections.abc import Callable

import torch
from lightning_fabric import Fabric

from dermaug.training.fabric import multiplies_bfloat16, start_fabric
from dermaug.training.graphs import WARM_UP

FLOAT32, BFLOAT16 = "32-true", "bf16-mixed"
WORTH = 0.95
"""Largest share of float32's time at which bfloat16, which rounds more, is chosen."""


def measured_precision(
    begin: Callable[[Fabric], Callable[[], object]], device: str = "auto", seconds: float = 1.0
) -> str:
    """Take the same steps in float32 and in bfloat16 in turn, and tell which are faster.

    Networks of depthwise convolutions are slower in bfloat16 on many CPUs that multiply matrices
    faster in it, so that the choice is one per network, not per machine. Choose once per run, not
    per worker: measurements on a busy machine differ, and results depend on the precision.

    Args:
        begin: Begins a training on a device in a precision and returns its next step, such as
            `ClassifierSteps(...).take` or `GeneratorSteps(...).take`; called twice.
        device: As for `start_fabric`.
        seconds: Time for the measurement, about; at least two steps in each precision are timed,
            after a few that are not.

    Returns:
        `32-true` or `bf16-mixed`; without a measurement the former on a device that does not
        multiply bfloat16 faster.
    """
    fabrics = {name: start_fabric(device, name) for name in (FLOAT32, BFLOAT16)}
    where = fabrics[FLOAT32].device
    if not multiplies_bfloat16(where):
        return FLOAT32
    steps = {name: begin(fabric) for name, fabric in fabrics.items()}
    # On a GPU a step is recorded after these; a first step on a CPU sets up its operations.
    for _ in range(WARM_UP + 1 if where.type == "cuda" else 1):
        for step in steps.values():
            step()
    totals, start, taken = dict.fromkeys(steps, 0.0), time.perf_counter(), 0
    while taken < 2 or time.perf_counter() - start < seconds:
        for name, step in steps.items():
            totals[name] += _seconds(step, where)
        taken += 1
    return BFLOAT16 if totals[BFLOAT16] < WORTH * totals[FLOAT32] else FLOAT32


def _seconds(step: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    step()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
