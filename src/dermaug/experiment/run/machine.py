"""The machine of a run, what of it a block may use, and the versions of packages."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from dermaug.experiment.run.records import Machine

PACKAGES = ("torch", "torchvision", "timm", "numpy", "scikit-learn", "pillow")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers may depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def machine() -> Machine:
    """This machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pages = (
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    )
    return Machine(
        cpu=_told("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        cores=cores,
        memory_gib=round(pages / 2**30, 1),
        gpu=torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        platform=f"{platform.system()} {platform.machine()}",
    )


def available_memory() -> int:
    """Bytes of memory that programs can still use; practically infinite if unknown."""
    told = _told("/proc/meminfo", "MemAvailable")
    return int(told.split()[0]) * 1024 if told else 2**62


@contextmanager
def within_memory(device: str = "cpu") -> Iterator[None]:
    """Let an allocation fail inside the block that would take more memory than is available.

    Otherwise the system grants it, and kills this program or another one when it is used.

    Args:
        device: Where the block computes; with a GPU there is no limit, because its driver maps far
            more than it uses.
    """
    told = Path("/proc/self/statm")
    if device != "cpu" or not told.exists():
        yield
        return
    import resource

    before, most = resource.getrlimit(resource.RLIMIT_AS)
    used = int(told.read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    limit = used + available_memory()
    allowed = [each for each in (limit, before, most) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(allowed), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Compute with so many threads inside the block: PyTorch, NumPy and scikit-learn."""
    before = torch.get_num_threads()
    with threadpool_limits(limits=threads):
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _told(path: str, name: str) -> str:
    """The first value of that name in a file of `name: value` lines; "" without one."""
    lines = Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else ()
    values = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(values, "")
