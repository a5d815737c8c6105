"""Walks begin and end at the images of their latents, and a jump on the way is noticed."""

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn

from dermaug.config import GeneratorConfig
from dermaug.generators import build_family
from dermaug.generators.family import Sampler, draw
from dermaug.synthesis.walks import (
    jumps,
    latents_of,
    lies_in_cube,
    spherical,
    step_sizes,
    straight,
    walk_latents,
)


class Grey(Sampler):
    """An image of one grey level: the first latent, plus what the class adds; jumps if asked to."""

    latent = 4

    def __init__(self, *, learnt_by_heart: bool = False) -> None:
        super().__init__()
        self.classes = nn.Embedding(3, 1)
        self.classes.weight.data = torch.tensor([[-0.2], [0.0], [0.3]])
        self.learnt_by_heart = learnt_by_heart

    def draw_latents(self, number: int, random: Generator) -> Tensor:
        return torch.rand(number, self.latent, generator=random) * 2.0 - 1.0

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        level = 0.5 * latents[:, :1] + self.classes(labels)
        level = level.sign() * 0.5 if self.learnt_by_heart else level
        return level[:, :, None, None].expand(-1, 3, 8, 8)


def sampler_of(family: str) -> Sampler:
    torch.manual_seed(0)
    config = GeneratorConfig.model_validate(
        {
            "family": family,
            "width": 4,
            "latent": 16,
            "options": {"steps": 2} if family == "flow" else {},
        }
    )
    return build_family(config, 32, 1 if family == "dcgan" else 3).eval().sampler


def ends(sampler: Sampler, label: int, number: int, seed: int) -> np.ndarray:
    latents = latents_of(sampler, number + 1, "walk", seed, label)
    return draw(sampler, latents, torch.full((number + 1,), label))


@pytest.mark.parametrize("sampler", [Grey(), sampler_of("dcgan"), sampler_of("cgan")])
def test_walks_start_and_end_at_the_images_of_their_latents(sampler: Sampler) -> None:
    walks = walk_latents(sampler, 0, 2, seed=5, steps=4)
    stops = ends(sampler, 0, 2, seed=5)
    for place, walk in enumerate(walks):
        assert len(walk) == 5
        np.testing.assert_array_equal(walk[0], stops[place])
        np.testing.assert_array_equal(walk[-1], stops[place + 1])


def test_even_steps_have_a_jump_of_1_and_a_switch_one_of_all_steps() -> None:
    levels = np.array([range(0, 120, 10), [10] * 6 + [200] * 6, [0] * 12], dtype=np.uint8)
    steps = step_sizes(levels[:, :, None, None, None].repeat(3, axis=4))
    np.testing.assert_allclose(steps[0], 10.0)
    np.testing.assert_allclose(jumps(steps), [1.0, 11.0, np.nan])


def test_a_sampler_that_learnt_by_heart_jumps() -> None:
    by_heart = jumps(step_sizes(walk_latents(Grey(learnt_by_heart=True), 1, 8, seed=0)))
    assert set(by_heart[~np.isnan(by_heart)].round()) == {11}
    assert jumps(step_sizes(walk_latents(Grey(), 1, 8, seed=0))).mean() < 1.5


def test_latents_stay_where_they_lie() -> None:
    assert lies_in_cube(sampler_of("dcgan"))
    assert not lies_in_cube(sampler_of("cgan"))
    start, end = torch.randn(2, 200, generator=Generator().manual_seed(0))
    way = spherical(start, 2.0 * end, 8)
    torch.testing.assert_close(way[0], start, rtol=0, atol=0)
    torch.testing.assert_close(way[-1], 2.0 * end, rtol=0, atol=0)
    lengths = spherical(start / start.norm(), end / end.norm(), 8).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(9))
    assert straight(start / start.norm(), end / end.norm(), 8).norm(dim=1).min() < 0.8
    torch.testing.assert_close(spherical(start, start, 3), start.expand(4, -1))
