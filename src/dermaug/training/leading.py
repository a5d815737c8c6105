"""The first of several processes of a training tells the others what to do next.

Between two steps the others wait in one place, `heed`. Whatever the first process does meanwhile,
such as taking a snapshot, saving, or ending a training early, therefore needs no word to them.
"""

import io
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from dermaug.errors import StoppedEarly
from dermaug.training.ranks import Ranks, exchanging
from dermaug.training.resume import Resumable

MESSAGE = 1_000
"""Above all numbers of signals."""


@dataclass(frozen=True)
class Call:
    """What the others are to do next.

    Args:
        kind: job (prepare for it), train (from a state), step or end.
        content: Key of the job, or the state.
    """

    kind: str
    content: bytes = b""

    @property
    def key(self) -> str:
        """The key of the job."""
        return self.content.decode()

    @property
    def state(self) -> dict[str, Any]:
        """The state, on the CPU."""
        file = io.BytesIO(self.content)
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        return state


STEP = Call("step")


def call_to_job(ranks: Ranks, key: str) -> None:
    """Let the other processes prepare for a job."""
    _tell(ranks, Call("job", key.encode()))


def call_to_train(ranks: Ranks, state: Resumable) -> None:
    """Let the other processes train from this state."""
    if not ranks.is_alone:
        content = io.BytesIO()
        torch.save(state.state_dict(), content)
        _tell(ranks, Call("train", content.getvalue()))


def call_to_step(ranks: Ranks) -> None:
    """Let the other processes take a step, as this one is about to do.

    Raises:
        StoppedEarly: One of them was asked to stop, so that nobody takes a step.
        LostRank: One of them has ended.
    """
    if not ranks.is_alone and (signal := _largest(0)):
        raise StoppedEarly(signal)


def call_to_end(ranks: Ranks) -> None:
    """Let the other processes end."""
    _tell(ranks, Call("end"))


def heed(signal: int) -> Call:
    """Wait for what the first process tells.

    Args:
        signal: Number of the signal by which this process was asked to stop, 0 if it was not.

    Raises:
        LostRank: Another process has ended.
    """
    while 0 < (told := _largest(signal)) < MESSAGE:
        pass  # the first process knows, and will not call to a step again
    if not told:
        return STEP
    message = bytes(_broadcast(torch.empty(told - MESSAGE, dtype=torch.uint8)).numpy())
    kind, _, content = message.partition(b"\n")
    return Call(kind.decode(), content)


def _tell(ranks: Ranks, call: Call) -> None:
    if ranks.is_alone:
        return
    message = call.kind.encode() + b"\n" + call.content
    _largest(MESSAGE + len(message))
    _broadcast(torch.frombuffer(bytearray(message), dtype=torch.uint8))


def _largest(number: int) -> int:
    """The largest number that a process gives."""
    numbers = torch.tensor([number])
    with exchanging():
        dist.all_reduce(numbers, dist.ReduceOp.MAX)
    return int(numbers)


def _broadcast(content: torch.Tensor) -> torch.Tensor:
    """What the first process gives, in all of them."""
    with exchanging():
        dist.broadcast(content, 0)
    return content
