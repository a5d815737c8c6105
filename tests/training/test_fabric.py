import pytest
import torch

from dermaug.errors import DermaugError
from dermaug.training.fabric import start_fabric

AMX = {"amx_tile": True, "amx_bf16": True}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (AMX, torch.bfloat16),
        (AMX | {"amx_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({}, torch.float32),
    ],
)
def test_a_cpu_computes_in_bfloat16_where_it_multiplies_it_faster(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    with start_fabric("cpu").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is expected


def test_an_older_torch_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    with start_fabric("cpu").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cuda:9", "not available on this machine, which has .*cpu"),
        *(
            (name, "expected auto, .* this machine has .*cpu")
            for name in ("cuda:x", "gpu", "cpu:1")
        ),
    ],
)
def test_a_device_that_is_not_there_is_named_with_what_is(device: str, said: str) -> None:
    with pytest.raises(DermaugError, match=f"--device {device}: {said}"):
        start_fabric(device)
