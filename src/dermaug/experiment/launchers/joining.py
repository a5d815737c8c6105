"""Connect the processes of one training, by Lightning Fabric, and end all of them when one fails.

Under torchrun they are there already. Otherwise the first one starts the others of its machine,
with the same command and the environment that torchrun would give them.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.host import is_first_rank, under_torchrun
from dermaug.training.leading import call_to_end
from dermaug.training.ranks import LostRank, Ranks, exchanging

FAILED = 2
"""Exit code of a process that leaves the message to the first one."""
LONGEST_WAIT = timedelta(hours=2)
"""A process that hangs is given up after so long; one that ends is noticed at once."""
SHORT_WAIT = timedelta(seconds=5)
COMMAND = (sys.executable, "-c", "from dermaug.cli import main; main()")
PRESENT, LAST_WORDS = "dermaug/present", "dermaug/last-words"
"""Keys of the processes' common store: the number of the others that have begun, and what one that
fails leaves for the first one to say."""


@contextmanager
def joined(launch: Launch, device: str) -> Iterator[Ranks]:
    """Connect the processes while the block runs; at its end, the first tells the others to end.

    With cuda as the device, each process has a GPU of its own.

    Raises:
        DermaugError: Another process has failed; raised in the first one.
        SystemExit: Raised in the others, if any has failed.
    """
    strategy = DDPStrategy(
        cluster_environment=TorchElasticEnvironment(),
        process_group_backend="cpu:gloo,cuda:nccl" if device == "cuda" else "gloo",
        timeout=LONGEST_WAIT,
    )
    with _started(launch), _told_by_the_first():
        fabric = Fabric(
            accelerator=device,
            strategy=strategy,
            devices=launch.devices,
            num_nodes=launch.num_nodes,
        )
        with exchanging():
            fabric.launch()
        ranks = Ranks(fabric.world_size, fabric.global_rank)
        try:
            yield ranks
        finally:
            if ranks.place == 0 and not isinstance(sys.exception(), LostRank):
                call_to_end(ranks)
            dist.destroy_process_group()


@contextmanager
def _started(launch: Launch) -> Iterator[None]:
    """Start the other processes of this machine, and end them; nothing, if torchrun does both."""
    if under_torchrun():
        if not is_first_rank():
            _store().add(PRESENT, 1)
        yield
        return
    before = dict(os.environ)
    server = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    os.environ |= _environment(launch, server.port)
    others = [
        subprocess.Popen(
            [*COMMAND, *sys.argv[1:]],
            stdin=subprocess.DEVNULL,
            env=os.environ | {"RANK": str(place), "LOCAL_RANK": str(place)},
        )
        for place in range(1, launch.devices)
    ]
    try:
        while server.add(PRESENT, 0) < len(others):
            _refuse_ended(others)
            time.sleep(0.1)
        yield
    finally:
        _end(others)
        os.environ.clear()
        os.environ |= before


def _environment(launch: Launch, port: int) -> dict[str, str]:
    """What torchrun would tell the first process; all messages stay on this machine."""
    told = {
        "RANK": "0",
        "LOCAL_RANK": "0",
        "WORLD_SIZE": str(launch.devices),
        "LOCAL_WORLD_SIZE": str(launch.devices),
        "GROUP_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "TORCHELASTIC_RUN_ID": "dermaug",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }
    loopback = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    if loopback:
        told["GLOO_SOCKET_IFNAME"] = loopback[0]
    return told


def _refuse_ended(others: Sequence[subprocess.Popen[bytes]]) -> None:
    for place, other in enumerate(others, 1):
        if (code := other.poll()) is not None:
            raise DermaugError(
                f"process {place + 1} of {len(others) + 1} could not be started (it ended with "
                f"{code}); run the same command without --devices to see why"
            )


def _end(others: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait for the end of processes that were told to end, or that miss the first one."""
    for other in others:
        try:
            other.wait(SHORT_WAIT.total_seconds())
        except subprocess.TimeoutExpired:
            other.kill()
            other.wait()


@contextmanager
def _told_by_the_first() -> Iterator[None]:
    """Let the first process say why a process has failed, and the others end in silence."""
    try:
        yield
    except LostRank as lost:
        if not is_first_rank():
            if lost.message:
                _leave(lost.message)
            raise SystemExit(FAILED) from None
        if lost.__cause__ is not None and lost.message:
            raise lost.__cause__ from None
        raise DermaugError(
            f"{_left()}; the same command resumes the training from its last checkpoint, also with "
            "another number of --devices"
        ) from None


def _leave(message: str) -> None:
    words = f"process {int(os.environ['RANK']) + 1} of {os.environ['WORLD_SIZE']}: {message}"
    with suppress(RuntimeError):  # the first process may have ended
        store = _store()
        store.set(LAST_WORDS, words)
        store.get(LAST_WORDS)  # has arrived


def _left() -> str:
    try:
        store = _store()
        store.wait([LAST_WORDS], SHORT_WAIT)
        return str(store.get(LAST_WORDS).decode())
    except RuntimeError:
        return "another process of the training was killed, or cannot be reached any more"


def _store() -> TCPStore:
    """The store that the first process, or torchrun, keeps for all."""
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(address, port, is_master=False, timeout=SHORT_WAIT)
