"""Several processes that train one network, each on its part of every batch (ranks 0 to N - 1).

What one process would compute from a batch is computed from its parts: gradients, losses and batch
statistics are averaged, and random numbers are drawn as if for the whole batch. The training is
therefore that of one process with the same batch, up to the order of sums, and after every step all
processes hold the same state.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from jaxtyping import Int
from torch import Tensor
from torch.overrides import TorchFunctionMode


class LostRank(BaseException):
    """A training over several processes cannot go on, because one of them has failed.

    Args:
        message: What failed, if it was this process; "" if it was another one.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Ranks:
    """The processes of a training; one alone, unless more are given, which changes nothing at all.

    Args:
        number: Number of processes, connected by `torch.distributed` if there are several.
        place: Rank of this process.
    """

    number: int = 1
    place: int = 0

    @property
    def is_alone(self) -> bool:
        """Whether this is the only process."""
        return self.number == 1

    def part(self, rows: Int[np.ndarray, " batch"]) -> Int[np.ndarray, " part"]:
        """The consecutive rows of a batch that this process is shown."""
        size = len(rows) // self.number
        return rows[self.place * size : (self.place + 1) * size]

    def own_numbers(self, part: int) -> AbstractContextManager[object]:
        """Inside the block, random numbers of images are those of this process's part of a batch.

        Args:
            part: Number of images of each process.
        """
        return nullcontext() if self.is_alone else _OwnNumbers(self, part)

    @contextmanager
    def fatal(self) -> Iterator[None]:
        """What fails in here ends the training, because other processes wait for this one.

        Raises:
            LostRank: Something failed, here or in another process.
        """
        try:
            yield
        except Exception as error:
            if self.is_alone:
                raise
            raise LostRank((str(error) or type(error).__name__).splitlines()[0]) from error

    def average(self, gradients: Iterable[Tensor]) -> None:
        """Replace gradients by their means over all processes, in place and by one exchange."""
        if self.is_alone:
            return
        parts = list(gradients)
        means = self.mean(torch.cat([part.flatten() for part in parts]))
        sizes = [part.numel() for part in parts]
        for part, mean in zip(parts, torch.split(means, sizes), strict=True):
            part.copy_(mean.view(part.shape))

    def means(self, losses: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The means of some scalars over all processes."""
        if self.is_alone:
            return losses
        values = torch.stack([loss.float() for loss in losses.values()])
        return dict(zip(losses, self.mean(values), strict=True))

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over all processes; gradients go back to all of them."""
        mean: Tensor = _Mean.apply(values, self.number)
        return mean

    def whole(self, values: Tensor) -> Tensor:
        """The values of a whole batch, one row per image, from those of the parts."""
        if self.is_alone:
            return values
        parts = [torch.empty_like(values, dtype=torch.float32) for _ in range(self.number)]
        with exchanging():
            dist.all_gather(parts, values.float().contiguous())
        return torch.cat(parts).to(values.dtype)


ALONE = Ranks()
"""One process."""


@contextmanager
def exchanging() -> Iterator[None]:
    """Around all calls that wait for other processes.

    Raises:
        LostRank: One of them has ended.
    """
    try:
        yield
    except RuntimeError as error:  # that of each backend is another
        raise LostRank from error


class _Mean(torch.autograd.Function):
    """The mean over all processes, of gradients as of values."""

    @staticmethod
    def forward(context: Any, values: Tensor, number: int) -> Tensor:  # noqa: ANN401
        context.number = number
        total = values.clone(memory_format=torch.contiguous_format)
        with exchanging():
            dist.all_reduce(total)
        return total.div_(number)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        return _Mean.apply(gradients[0], context.number), None


class _OwnNumbers(TorchFunctionMode):
    """Draws numbers for the images of all processes and keeps those of the own ones.

    Numbers are drawn one row per image of a batch, or of several batches that are joined. Drawing
    all of them is cheap beside a step, and makes them independent of the number of processes.
    """

    def __init__(self, ranks: Ranks, part: int) -> None:
        super().__init__()
        self._ranks, self._part = ranks, part

    def __torch_function__(
        self,
        function: Any,  # noqa: ANN401
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        if function not in (torch.rand, torch.randn):
            return function(*args, **kwargs or {})
        rows, *others = args
        assert rows % self._part == 0, "random numbers of a step have one row per image"
        whole = function(self._ranks.number * rows, *others, **kwargs or {})
        batches = whole.view(-1, self._ranks.number, self._part, *others)
        return batches[:, self._ranks.place].reshape(rows, *others)
