"""The machine that this process runs on, and whether its processes are alive."""

import hashlib
import os
import re
import socket
import time
from functools import cache
from pathlib import Path


@cache
def this_host() -> str:
    """Name of this machine: its host name, and a digest of its boot and its process numbers.

    Containers may share a host name but not their process numbers, which two machines with equal
    names would then take for each other's.
    """
    parts = [_read("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid")]
    digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9.]+", ".", socket.gethostname())
    return f"{name}.{digest}"


def has_ended(host: str, pid: int) -> bool:
    """Whether a process of this machine has ended; False for those of other machines."""
    if host != this_host() or os.name == "nt":  # there, asking a process would end it
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and its parent has not noticed yet."""
    state = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return bool(state) and state[0] in "ZX"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def under_torchrun() -> bool:
    """Whether torchrun has started this process, as one of several."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_first_rank() -> bool:
    """Whether this process speaks for all that train a network together; always, if alone."""
    return not under_torchrun() or os.environ["RANK"] == "0"


def busy_cores(seconds: float = 0.5, *, niced: bool = False) -> float:
    """Cores of this process that programs keep busy while it waits; 0 where nothing tells.

    Args:
        seconds: How long to look.
        niced: Whether programs count that leave their core to others.
    """
    start = _busy_seconds(niced)
    time.sleep(seconds)
    return (_busy_seconds(niced) - start) / seconds


def load() -> float:
    """Programs that wanted a core in the last minute, on average; 0 where nothing tells."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _busy_seconds(niced: bool) -> float:
    """Seconds that the cores of this process have worked."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
    ticks = 0
    for line in _read("/proc/stat").splitlines():
        name, *times = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in cores:
            user, nice, system = map(int, times[:3])
            ticks += user + system + nice * niced
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0
