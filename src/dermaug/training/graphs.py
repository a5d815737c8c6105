"""Training steps as CUDA graphs: the operations of a step start by one call instead of hundreds.

Steps of small networks last as long as Python and the driver need to start their operations. A
graph records these once and repeats them (docs.pytorch.org/docs/stable/notes/cuda.html,
"CUDA Graphs").
"""

import logging
from collections.abc import Callable, Hashable, Iterable

import torch
from torch.optim import Optimizer

from dermaug.console import tell
from dermaug.training.randomness import StepRandom

WARM_UP = 3
"""Steps of each kind that run as they are before one is recorded."""
log = logging.getLogger(__name__)


class Replayed:
    """A training step that is recorded once per kind on a CUDA device, and repeated afterwards.

    On other devices the step is called every time, and so is one that cannot be recorded, which is
    said once. The results are the same: random numbers are drawn from the generators of `random`,
    seeded before each step.

    A repetition runs no Python. What changes from step to step must therefore lie in tensors that
    the step reads and that are written before the call, such as `Feed.rows`, and what the step
    leaves must lie in tensors that it changes in place, such as weights and `RunningMeans`.

    Args:
        random: Source of the step's random numbers, seeded by the caller before each step.
        optimizers: The optimisers that it uses, which must be fused ones on a CUDA device.
    """

    def __init__(self, random: StepRandom, optimizers: Iterable[Optimizer]) -> None:
        self._random, self._optimizers = random, list(optimizers)
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}
        self._warm: dict[Hashable, int] = {}
        self._records = random.device.type == "cuda"
        self._stream: torch.cuda.Stream | None = None
        if self._records:
            self._stream = torch.cuda.Stream(random.device)  # type: ignore[no-untyped-call]

    @property
    def recorded(self) -> set[Hashable]:
        """The kinds that are repeated as graphs."""
        return set(self._graphs)

    def __call__(self, kind: Hashable, step: Callable[[], None]) -> None:
        """Run one step.

        Args:
            kind: Steps of one kind consist of the same operations on tensors of the same shapes;
                None is never recorded.
            step: The step.
        """
        if kind is None or not self._records:
            step()
        elif kind in self._graphs:
            self._graphs[kind].replay()
        elif self._warm.get(kind, 0) < WARM_UP:
            self._warm[kind] = self._warm.get(kind, 0) + 1
            self._aside(step)
        else:
            self._record(kind, step)

    def _aside(self, step: Callable[[], None]) -> None:
        """Run the step on the stream on which it will be recorded."""
        stream, current = self._stream, torch.cuda.current_stream(self._random.device)
        assert stream is not None
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            step()
        current.wait_stream(stream)

    def _record(self, kind: Hashable, step: Callable[[], None]) -> None:
        """Record the step, which does not run it, and run it; without a graph if this fails."""
        graph = torch.cuda.CUDAGraph()
        for generator in self._random.generators[1:]:
            graph.register_generator_state(generator)
        trained = [(weight, weight.requires_grad) for weight in _weights(self._optimizers)]
        try:
            _set_capturable(self._optimizers, capturable=True)
            with (
                torch.cuda.stream(self._stream),
                torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"),
            ):
                step()
        except RuntimeError as error:
            for weight, trains in trained:
                weight.requires_grad_(trains)
            self._give_up(kind, error)
        else:
            log.info("recorded a step of kind %r", kind)
            self._graphs[kind] = graph
        finally:
            _set_capturable(self._optimizers, capturable=False)
        self._random.restart()
        self(kind, step)

    def _give_up(self, kind: Hashable, error: RuntimeError) -> None:
        """Run all steps without graphs from now on, and say why."""
        cause: BaseException = error
        while cause.__context__ is not None:  # what came first
            cause = cause.__context__
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        tell(
            f"note: a training step of kind {kind!r} could not be recorded as a CUDA graph "
            f"({reason}); its operations are started one by one, which is slower"
        )
        log.warning("not recorded: a step of kind %r", kind, exc_info=error)
        # The recorded graphs read the state of generators that the failed recording left unusable.
        self._records = False
        self._graphs.clear()
        self._random.renew()


def _weights(optimizers: Iterable[Optimizer]) -> list[torch.Tensor]:
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    return [weight for group in groups for weight in group["params"]]


def _set_capturable(optimizers: Iterable[Optimizer], *, capturable: bool) -> None:
    """Tell Adam whether it is being recorded; a fused one computes the same in both cases."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = capturable
