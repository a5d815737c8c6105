"""Vector arithmetic where images are known: a disc whose radius is the first latent."""

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn

from dermaug.evaluation.lesion_area import lesion_area
from dermaug.generators.family import Sampler
from dermaug.synthesis.latent_arithmetic import (
    CONTROLS,
    add_direction,
    control_directions,
    direction_of,
    put_back,
)

SIDE = 32


class Discs(Sampler):
    """Dark discs on light ground."""

    latent = 8

    def __init__(self, *, normal: bool) -> None:
        super().__init__()
        self.normal = normal
        self.anchor = nn.Parameter(torch.zeros(1))  # tells the device, as weights do

    def draw_latents(self, number: int, random: Generator) -> Tensor:
        if self.normal:
            return torch.randn(number, self.latent, generator=random)
        return torch.rand(number, self.latent, generator=random) * 2.0 - 1.0

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        across = torch.arange(SIDE) - (SIDE - 1) / 2.0
        distance = torch.hypot(across[:, None], across[None, :])
        radius = (8.0 + 3.0 * latents[:, 0]).clamp(1.0, 15.0)
        light = (distance[None] - radius[:, None, None]).clamp(-0.5, 0.5) + 0.1
        return light[:, None].expand(-1, 3, -1, -1)


@pytest.mark.parametrize("normal", [True, False])
def test_the_direction_of_large_discs_enlarges_fresh_ones(normal: bool) -> None:
    found = add_direction(Discs(normal=normal), 0, lesion_area, seed=0)
    assert found.raised > found.spread
    assert found.lowered < -0.5 * found.spread
    assert found.raised > found.controls.max()
    assert abs(found.controls.mean()) < 0.5 * found.raised
    assert len(found.controls) == CONTROLS
    less, fresh, more, _ = (lesion_area(row).mean() for row in found.images)
    assert less < fresh < more


def test_a_direction_is_the_mean_of_three_less_the_mean_of_three() -> None:
    latents = torch.eye(7)
    direction = direction_of(latents, np.array([5.0, 0.0, 9.0, 1.0, 8.0, 2.0, 7.0]))
    expected = torch.tensor([0.0, -1, 1, -1, 1, -1, 1]) / 3.0
    torch.testing.assert_close(direction, expected)


def test_controls_are_as_long_and_none_is_another() -> None:
    drawn = control_directions(torch.randn(50, 6, generator=Generator().manual_seed(0)), 2.5, 0)
    torch.testing.assert_close(drawn.norm(dim=1), torch.full((CONTROLS,), 2.5))
    assert torch.pdist(drawn).min() > 0.1


def test_what_arithmetic_carried_off_is_put_back() -> None:
    origin = torch.rand(6, 10) * 2.0 - 1.0
    moved = origin + 1.5
    assert put_back(moved, origin, cube=True).abs().max() <= 1.0
    back = put_back(moved, origin, cube=False)
    torch.testing.assert_close(back.norm(dim=1), origin.norm(dim=1))
    torch.testing.assert_close(
        back / back.norm(dim=1, keepdim=True), moved / moved.norm(dim=1, keepdim=True)
    )
