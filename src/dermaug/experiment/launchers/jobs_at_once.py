"""The number of jobs that a machine does at the same time."""

import joblib
import torch

from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.machine import available_memory

GPU_JOBS = 4
"""Most jobs that share a GPU by default. Recorded steps keep it busy, so that more jobs only hide
what happens between trainings (see `benchmarks/README.md`)."""
GPU_MEMORY = 4 * 2**30
"""Bytes of a GPU's memory for each job that shares it by default."""
MEMORY = 2**30
"""Bytes of memory for each worker by default."""


def jobs_at_once(launch: Launch, device: str, wanted: int) -> int:
    """Number of jobs that this machine does at the same time.

    Args:
        launch: How they are distributed; with `serial` it is one.
        device: Device of the jobs; `cuda` is every GPU, `cuda:N` one of them.
        wanted: Number of jobs to do.
    """
    if launch.launcher == "serial":
        return 1
    return max(1, min(launch.jobs or _default(device), wanted))


def _default(device: str) -> int:
    cores: int = joblib.cpu_count()
    if device == "cpu":
        return min(cores, available_memory() // MEMORY)
    if device.startswith("cuda"):
        gpus = torch.cuda.device_count() if device == "cuda" else 1
        memory = torch.cuda.get_device_properties(device).total_memory
        return min(cores - 2, gpus * GPU_JOBS, gpus * (memory // GPU_MEMORY))
    return 1
