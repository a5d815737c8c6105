"""Two processes train as one does with the same batch, and hold the same state.

Tolerance, in float32: weights after four steps differ by less than a thousandth of the distance
that they moved. Sums are in another order, and Adam divides by small numbers.
"""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from ranked import together
from ranked_steps import OPTIONS, state_after, task, write_states

State = Mapping[str, Any]


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], State]:
    """(family, rank) -> its state after the steps of two processes."""
    folder = tmp_path_factory.mktemp("states")
    assert together(2, folder, write_states, folder) == [0, 0]
    return {
        (family, place): torch.load(folder / f"{family}-{place}.pt", weights_only=True)
        for family in OPTIONS
        for place in range(2)
    }


def weights(state: State) -> torch.Tensor:
    """Weights, averages of them, and running statistics, in one row."""
    found = [*state["family"].items(), *state["ema"].items()]
    return torch.cat([value.double().flatten() for _, value in found])


@pytest.mark.parametrize("family", OPTIONS)
def test_two_processes_train_as_one_does(family: str, states: dict[tuple[str, int], State]) -> None:
    start, alone = (state_after(task(family), steps).state_dict() for steps in (0, 4))
    first, other = (states[family, place] for place in range(2))
    assert torch.equal(weights(first), weights(other))
    moved = (weights(alone) - weights(start)).norm()
    assert (weights(first) - weights(alone)).norm() < 1e-3 * moved
    for name, (total, number) in alone["losses"].items():
        assert number == 4
        torch.testing.assert_close(first["losses"][name][0], total, rtol=1e-4, atol=1e-5)


def test_augmentation_follows_the_whole_batch(states: dict[tuple[str, int], State]) -> None:
    alone = state_after(task("cgan")).state_dict()["family"]["strength.probability"]
    assert alone > 0.3
    assert states["cgan", 1]["family"]["strength.probability"] == alone


def test_batch_norm_remembers_the_whole_batch(states: dict[tuple[str, int], State]) -> None:
    alone = state_after(task("dcgan")).state_dict()["family"]
    names = [name for name in alone if "running" in name]
    assert names
    for name in names:
        told = states["dcgan", 0]["family"][name]
        torch.testing.assert_close(told, alone[name], rtol=1e-3, atol=1e-5)
