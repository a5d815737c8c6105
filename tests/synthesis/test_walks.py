"""Walks begin and end at the images of their latents, and a jump on the way is noticed."""

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn

from dermaug.config import GeneratorConfig
from dermaug.generators import build_family
from dermaug.generators.family import Sampler, draw
from dermaug.synthesis.latent_space import latents_of, lies_in_cube, put_back, spherical, straight
from dermaug.synthesis.walks import Walk, walk_classes, walk_latents


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
    walks = walk_latents(sampler, 0, "mel", 2, seed=5, steps=4)
    stops = ends(sampler, 0, 2, seed=5)
    for place, walk in enumerate(walks):
        assert len(walk.images) == 5
        np.testing.assert_array_equal(walk.images[0], stops[place])
        np.testing.assert_array_equal(walk.images[-1], stops[place + 1])


@pytest.mark.parametrize("sampler", [Grey(), sampler_of("acgan"), sampler_of("flow")])
def test_class_walks_start_and_end_at_the_images_of_their_classes(sampler: Sampler) -> None:
    with torch.no_grad():
        for table in (each for each in sampler.modules() if isinstance(each, nn.Embedding)):
            table.weight.mul_(3.0)
    walks = walk_classes(sampler, ("a", "b", "c"), seed=1, steps=4)
    assert [(walk.start, walk.end) for walk in walks] == [("a", "b"), ("b", "c"), ("c", "a")]
    latents = latents_of(sampler, 1, "class walk", 1).expand(5, -1)
    for label, walk in enumerate(walks):
        stop = draw(sampler, latents, torch.full((5,), label))[0]
        np.testing.assert_array_equal(walk.images[0], stop)
        np.testing.assert_array_equal(walks[label - 1].images[-1], stop)
    # The hooks are gone.
    np.testing.assert_array_equal(
        draw(sampler, latents, torch.zeros(5, dtype=torch.long))[0], walks[0].images[0]
    )


def test_between_classes_the_embedding_moves_in_even_steps() -> None:
    walk = walk_classes(Grey(), ("a", "b", "c"), seed=1, steps=4)[1]
    levels = walk.images[:, 0, 0, 0].astype(int)
    assert np.diff(levels).tolist() == pytest.approx([0.3 * 127.5 / 4] * 4, abs=1.0)


def test_a_sampler_of_one_class_walks_between_no_classes() -> None:
    assert walk_classes(sampler_of("dcgan"), ("mel",), seed=0) == []


def test_even_steps_have_a_jump_of_1_and_a_switch_one_of_all_steps() -> None:
    even = Walk("a", "b", np.arange(0, 120, 10, dtype=np.uint8)[:, None, None, None].repeat(3, 3))
    assert even.jump == pytest.approx(1.0)
    assert even.length == pytest.approx(110.0)
    switch = Walk("a", "b", np.repeat([10, 200], 6).astype(np.uint8)[:, None, None, None])
    assert switch.jump == pytest.approx(11.0)
    assert np.isnan(Walk("a", "b", np.zeros((3, 2, 2, 3), np.uint8)).jump)


def test_a_sampler_that_learnt_by_heart_jumps() -> None:
    walks = walk_latents(Grey(learnt_by_heart=True), 1, "b", 8, seed=0)
    assert {round(walk.jump) for walk in walks if walk.length > 0} == {11}
    learnt = walk_latents(Grey(), 1, "b", 8, seed=0)
    assert np.mean([walk.jump for walk in learnt]) < 1.5


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


def test_what_arithmetic_carried_off_is_put_back() -> None:
    origin = torch.rand(6, 10) * 2.0 - 1.0
    moved = origin + 1.5
    assert put_back(moved, origin, cube=True).abs().max() <= 1.0
    back = put_back(moved, origin, cube=False)
    torch.testing.assert_close(back.norm(dim=1), origin.norm(dim=1))
    torch.testing.assert_close(
        back / back.norm(dim=1, keepdim=True), moved / moved.norm(dim=1, keepdim=True)
    )
