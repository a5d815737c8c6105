import time
from collections.abc import Callable

import pytest
import torch
from lightning_fabric import Fabric

from dermaug.training.precision import measured_precision


@pytest.fixture
def _bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"amx_tile": True, "amx_bf16": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)


def lasting(milliseconds: dict[torch.dtype, float]) -> Callable[[Fabric], Callable[[], object]]:
    """Steps that compute as long as told, by the type in which they multiply."""

    def begin(fabric: Fabric) -> Callable[[], object]:
        with fabric.autocast():
            kind = (torch.ones(2, 2) @ torch.ones(2, 2)).dtype

        def step() -> None:
            end = time.process_time() + milliseconds[kind] / 1_000.0
            while time.process_time() < end:
                pass

        return step

    return begin


@pytest.mark.usefixtures("_bfloat16")
@pytest.mark.parametrize(
    ("float32", "bfloat16", "expected"),
    [(10, 2, "bf16-mixed"), (5, 5, "bf16-mixed"), (2, 10, "32-true")],
)
def test_bfloat16_is_chosen_unless_it_is_clearly_slower(
    float32: float, bfloat16: float, expected: str
) -> None:
    steps = lasting({torch.float32: float32, torch.bfloat16: bfloat16})
    assert measured_precision(steps, "cpu", seconds=0.02) == expected


def test_a_cpu_without_bfloat16_takes_no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)

    def begin(fabric: Fabric) -> Callable[[], object]:
        raise AssertionError

    assert measured_precision(begin, "cpu") == "32-true"
