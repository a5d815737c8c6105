import copy

import pytest
import torch
from torch import Generator, nn
from torch.optim import Adam

from dermaug.training.optimizers import load_optimizer


@pytest.mark.parametrize("way", ["fused", "foreach"])
def test_restored_from_plain_rows_it_goes_on_in_the_layout_of_its_weights(way: str) -> None:
    images = torch.randn(4, 8, 9, 9, generator=Generator().manual_seed(1))

    def network() -> tuple[nn.Conv2d, Adam]:
        torch.manual_seed(0)
        layer = nn.Conv2d(8, 8, 3).to(memory_format=torch.channels_last)
        return layer, Adam(layer.parameters(), 1e-2, **{way: True})

    def step(layer: nn.Conv2d, adam: Adam) -> None:
        adam.zero_grad()
        layer(images).square().mean().backward()
        adam.step()

    whole, adam = network()
    for _ in range(3):
        step(whole, adam)
    saved = copy.deepcopy(adam.state_dict())
    for averages in saved["state"].values():
        for name, value in averages.items():
            averages[name] = value.contiguous()  # as a checkpoint stores it
    resumed, other = network()
    resumed.load_state_dict(whole.state_dict())
    load_optimizer(other, saved)
    step(whole, adam)
    step(resumed, other)
    torch.testing.assert_close(resumed.weight, whole.weight, rtol=0.0, atol=0.0)


def test_a_saved_state_brings_no_settings() -> None:
    """A training that was begun on a GPU goes on here: its rate was a tensor there."""
    layer = nn.Linear(2, 2)
    adam = Adam(layer.parameters(), 1e-2, fused=True)
    layer(torch.ones(1, 2)).sum().backward()
    adam.step()
    saved = copy.deepcopy(adam.state_dict())
    saved["param_groups"][0] |= {"lr": torch.tensor(0.5), "fused": None, "capturable": True}
    other = Adam(layer.parameters(), 1e-2, fused=True)
    load_optimizer(other, saved)
    (group,) = other.param_groups
    assert (group["lr"], group["fused"], group["capturable"]) == (1e-2, True, False)
    assert float(next(iter(other.state.values()))["step"]) == 1.0
