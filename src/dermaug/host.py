"""The machine that this process runs on, and whether its processes are alive."""

import hashlib
import os
import re
import socket
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
