"""Work in a process of its own, which may be killed at any moment."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from dermaug.console import console


def one_thread() -> None:
    """Compute in one thread: sums in one order, and nothing that a fork would lose."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


def begun(work: Callable[[], object], told: Path) -> int:
    """Start some work in a child process and return its number.

    Args:
        work: The work. An error ends the process with 1.
        told: File for what it prints.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if child := os.fork():
        return child
    code = 1
    try:
        handle = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        console.quiet = False
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ended(child: int) -> int:
    """Wait for a child process and return its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after(seconds: float, work: Callable[[], object], told: Path) -> int | None:
    """Do some work in a process that is killed (SIGKILL) after some seconds.

    Returns:
        None if it was killed, and the exit code if it had ended before.
    """
    child, end = begun(work, told), time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(min(0.002, seconds))
    os.kill(child, signal.SIGKILL)
    code = ended(child)
    return None if code == -signal.SIGKILL else code
