"""On a CPU every step runs as it is; tests/gpu sees to graphs."""

import torch

from dermaug.training.graphs import Replayed
from dermaug.training.randomness import StepRandom


def test_without_a_gpu_the_step_runs_every_time() -> None:
    random, seen = StepRandom(torch.device("cpu"), 0), []
    run = Replayed(random, [])
    for number in (0, 1, 2, 3, 4, 5, 1):
        random.at(number)
        run("step" if number % 2 else None, lambda: seen.append(float(torch.rand(()))))
    assert len(seen) == 7
    assert seen[1] == seen[6]
    assert run.recorded == set()


def test_numbers_can_be_drawn_again() -> None:
    random = StepRandom(torch.device("cpu"), 3)

    def drawn() -> list[float]:
        return [float(torch.rand(())), float(torch.rand((), generator=random.generator))]

    random.at(7)
    first = drawn()
    random.restart()
    assert drawn() == first
    random.at(8)
    assert drawn() != first
