"""Processes of one training that tests start, connected by gloo on this machine."""

import os
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from programs import CONTEXT

from dermaug.training.ranks import Ranks

Work = Callable[..., None]


def together(number: int, folder: Path, work: Work, *given: object) -> list[int | None]:
    """Let so many processes do the same work.

    Args:
        number: The number of processes.
        folder: Where they meet.
        work: Function of the processes and of what is given, of an importable module.
        given: Further arguments.

    Returns:
        Their exit codes.
    """
    processes = [
        CONTEXT.Process(target=_begin, args=(number, place, folder, work, given))
        for place in range(number)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120.0)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    return codes


def _begin(number: int, place: int, folder: Path, work: Work, given: tuple[object, ...]) -> None:
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=place, world_size=number
    )
    work(Ranks(number, place), *given)
    dist.destroy_process_group()
