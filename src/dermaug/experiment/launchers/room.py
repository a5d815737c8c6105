"""Room on disk and in memory for a study, before it is run."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from dermaug.disk import free_bytes, in_words
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.step_times import Measured
from dermaug.experiment.plan.jobs import GeneratorJob, Jobs
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.machine import available_memory

GIB = 2**30
RESERVE = 1.2
"""Predictions, tables, pictures and the report take a part of what the networks take."""


def room_sentence(
    folder: Path, jobs: Jobs, size: int, at_once: int, measured: Mapping[str, Measured]
) -> str:
    """Compare what a study needs with what there is, after its networks have been measured.

    Returns:
        One sentence.

    Raises:
        DermaugError: The disk or the memory is too small.
    """
    disk = disk_bytes(jobs, size, at_once, measured)
    free = free_bytes(folder)
    memory, available = at_once * _peak_bytes(), available_memory() + _peak_bytes()
    if disk > free:
        raise DermaugError(
            f"{folder}: the study needs about {disk / GIB:.1f} GiB on disk, {free / GIB:.1f} GiB "
            "are free; choose another --output, or free some space"
        )
    if memory > available:
        raise DermaugError(
            f"{at_once} jobs at the same time need about {memory / GIB:.1f} GiB of memory, "
            f"{available / GIB:.1f} GiB are available; reduce --jobs"
        )
    return (
        f"It needs about {disk / GIB:.1f} GiB on disk ({free / GIB:.1f} GiB are free) and "
        f"{memory / GIB:.1f} GiB of memory ({available / GIB:.1f} GiB are available)."
    )


def refuse_too_large(
    name: str, network: nn.Module, batch: int, size: int, device: torch.device
) -> None:
    """Refuse a training that cannot fit into the memory, whatever else it needs.

    Its weights, their gradients and two moments, and one batch in float32 of images of `size` px
    are counted; what layers keep of a batch for the gradients, usually more, is not.

    Raises:
        DermaugError: The memory is too small.
    """
    weights = sum(each.numel() * each.element_size() for each in network.parameters())
    images = batch * 3 * size**2 * 4
    there = available_memory()
    if device.type == "cuda":
        there = torch.cuda.get_device_properties(device).total_memory
    if 4 * weights + images > there:
        raise DermaugError(
            f"{name}: its training needs more than {(4 * weights + images) / GIB:,.1f} GiB of "
            f"memory ({4 * weights / GIB:,.1f} for weights, gradients and moments, "
            f"{images / GIB:,.1f} for a batch of {batch:,} images of {size} px), "
            f"{there / GIB:,.1f} GiB are available; reduce width, batch or data.size"
        )


def refuse_too_many(folder: Path, jobs: Jobs, size: int) -> None:
    """Refuse a study whose generated images alone fit neither on the disk nor into the memory.

    Those of finished jobs are there already.

    Raises:
        DermaugError: The disk or the memory is too small.
    """
    left = (job for job in jobs.generators if not RunFolder(folder).is_done(job.key))
    drawn = {job.key: job.num_drawn * 3 * size**2 for job in left}
    free, there = free_bytes(folder), available_memory()
    if sum(drawn.values()) > free:
        raise DermaugError(
            f"{folder}: the images to be generated need {in_words(sum(drawn.values()))} on disk, "
            f"{in_words(free)} are free; free some space, choose another --output, or reduce the "
            "doses, which makes another experiment"
        )
    key = max(drawn, key=lambda each: drawn[each], default="")
    if key and drawn[key] > there:
        raise DermaugError(
            f"{key}: the generated images need {drawn[key] / GIB:,.1f} GiB of memory, "
            f"{there / GIB:,.1f} GiB are available; reduce the doses"
        )


def disk_bytes(jobs: Jobs, size: int, at_once: int, measured: Mapping[str, Measured]) -> int:
    """Bytes of the files of a study: networks, synthetic images and checkpoints for a resume."""
    kept = sum(measured[job.network].kept_bytes for job in jobs.in_order)
    drawn = sum(job.num_drawn for job in jobs.in_order if isinstance(job, GeneratorJob))
    resume = max((each.resume_bytes for each in measured.values()), default=0)
    return round(RESERVE * kept) + drawn * 3 * size**2 + at_once * resume


def _peak_bytes() -> int:
    """The most memory that this process has had, which has trained every network."""
    if os.name == "nt":  # it does not tell
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
