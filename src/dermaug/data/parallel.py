"""Apply a function to many items on all cores, with results in order."""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from dermaug.errors import DermaugError

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]

CHUNK = 64
"""Items a task: small enough for a live progress bar, large enough to hide the hand-over."""
WORTH_PROCESSES = 2_000
"""From this many items on, processes repay their start. Measured on two cores: 10,015 small JPEGs
take 4.7 s serially, 4.1 s in threads (Pillow holds the interpreter's lock for much of a small
image) and 3.1 s in fresh processes, 2.4 s in warm ones."""


def in_parallel(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in order.

    Args:
        function: Importable by name, so that worker processes find it.
        items: Its arguments, one per call.
        workers: Number of processes or threads; None uses every available core.
        progress: Called with (done, total) as results come in.

    Raises:
        DermaugError: A worker process was killed.
    """
    workers = min(workers or joblib.cpu_count(), max(1, len(items) // CHUNK))
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    run = _in_processes if len(items) >= WORTH_PROCESSES and workers > 1 else _in_threads
    done = 0
    with closing(run(function, chunks, workers)) as results:
        for chunk in results:
            yield from chunk
            done += len(chunk)
            if progress is not None:
                progress(done, len(items))


def _whole_chunk(function: Callable[[Item], Result], chunk: Sequence[Item]) -> list[Result]:
    return [function(item) for item in chunk]


def _in_threads(
    function: Callable[[Item], Result], chunks: Sequence[Sequence[Item]], workers: int
) -> Generator[list[Result]]:
    with ThreadPoolExecutor(workers) as pool:
        # A few chunks a worker at a time: results must not pile up where the caller is slower.
        for start in range(0, len(chunks), 4 * workers):
            some = chunks[start : start + 4 * workers]
            yield from pool.map(_whole_chunk, [function] * len(some), some)


def _in_processes(
    function: Callable[[Item], Result], chunks: Sequence[Sequence[Item]], workers: int
) -> Generator[list[Result]]:
    tasks = (joblib.delayed(_whole_chunk)(function, chunk) for chunk in chunks)
    parallel = joblib.Parallel(
        workers, return_as="generator", batch_size=1, pre_dispatch="4*n_jobs"
    )
    try:
        yield from parallel(tasks)
    except TerminatedWorkerError:
        raise DermaugError(
            "a worker process was killed while decoding images, probably because memory ran out; "
            "close other programs and run the same command again"
        ) from None
