"""The conditional GANs: classes are told gradually, penalties are lazy, weights start well."""

from pathlib import Path

import pytest
import torch
from torch import Generator, nn

from dermaug.config import GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.cgan import Cgan
from dermaug.generators.family import Progress
from dermaug.generators.projected import Projected
from dermaug.generators.residual import (
    GROUP,
    ResidualDiscriminator,
    ResidualGenerator,
    spread_of_groups,
)

SIDE = 32
WEIGHTS = Path(__file__).parents[2] / "../shared/weights/mobilenetv1_imagenet_trunk.safetensors"
TRUNK = {
    "expect_missing": ["blocks.4.1.conv_pw.*", "blocks.4.1.bn2.*"],
    "backbone_options": {"pad_type": "same", "bn_eps": 1e-3},
}


def batch(number: int = 8, classes: int = 2) -> tuple[torch.Tensor, torch.Tensor, Generator]:
    random = Generator().manual_seed(0)
    images = torch.rand(number, 3, SIDE, SIDE, generator=random) * 2.0 - 1.0
    return images, torch.arange(number) % classes, random


@pytest.mark.parametrize("size", [32, 48, 64])
def test_networks_mirror_each_other(size: int) -> None:
    sampler, discriminator = ResidualGenerator(16, 8, size, 3), ResidualDiscriminator(8, size, 3)
    labels = torch.tensor([0, 1, 2, 0])
    images = sampler(sampler.draw_latents(4, Generator().manual_seed(0)), labels)
    assert images.shape == (4, 3, size, size)
    assert discriminator(images, labels).shape == (4,)


def test_signals_neither_vanish_nor_explode_at_the_start() -> None:
    torch.manual_seed(0)
    sampler = ResidualGenerator(64, 16, 64, 2).requires_grad_(False)
    discriminator = ResidualDiscriminator(16, 64, 2).requires_grad_(False)
    labels = torch.zeros(64, dtype=torch.long)
    images = sampler(sampler.draw_latents(64, Generator().manual_seed(0)), labels)
    assert 0.05 < float(images.std()) < 0.9
    noise = torch.randn(64, 3, 64, 64)
    assert 0.1 < float(discriminator(noise, labels).std()) < 5.0


def test_class_says_nothing_until_it_is_told_and_then_more() -> None:
    torch.manual_seed(0)
    family = build_family(GeneratorConfig(family="cgan", width=8, latent=16), SIDE, 2)
    latents = family.sampler.draw_latents(4, Generator().manual_seed(1))
    zeros, ones = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)

    def difference(step: int) -> float:
        images, labels, random = batch()
        family.prepare_step(Progress(step, 100))
        family.step(images, labels, random, Progress(step, 100))
        with torch.no_grad():
            return float((family.sampler(latents, zeros) - family.sampler(latents, ones)).std())

    early, half, late = difference(0), difference(37), difference(50)
    assert early == 0.0
    assert 0.0 < half < late


def test_penalty_comes_every_few_steps_and_weighs_as_many_times_more() -> None:
    config = GeneratorConfig(family="cgan", width=8, latent=16)
    torch.manual_seed(0)
    family = build_family(config, SIDE, 2)
    assert isinstance(family, Cgan)
    images, labels, random = batch()
    interval = family.own.penalty_interval
    values = [
        float(family._penalty(images, -images, labels, random, step).detach())
        for step in range(interval + 1)
    ]
    assert values[0] > 0.0
    assert values[interval] == pytest.approx(values[0], rel=1e-4)
    assert values[1:interval] == [0.0] * (interval - 1)
    often = config.model_copy(update={"options": {"penalty_interval": 1}})
    torch.manual_seed(0)
    every = build_family(often, SIDE, 2)
    assert isinstance(every, Cgan)
    each = float(every._penalty(images, -images, labels, random, 0).detach())
    assert values[0] == pytest.approx(interval * each, rel=1e-4)


def test_spread_of_groups_is_that_of_the_group_and_never_crosses_halves() -> None:
    same = torch.randn(1, 3, 4, 4).repeat(GROUP, 1, 1, 1)
    different = torch.randn(GROUP, 3, 4, 4)
    spread = spread_of_groups(torch.cat([same, different]))
    assert spread.shape == (2 * GROUP, 1, 4, 4)
    assert float(spread[:GROUP].max()) < 1e-3
    reference = different.var(0, unbiased=False).add(1e-8).sqrt().mean()
    torch.testing.assert_close(spread[-1, 0, 0, 0], reference)


def test_classes_are_learnt_apart() -> None:
    """Red is class 0 and blue is class 1; a few hundred steps suffice to tell."""
    torch.manual_seed(0)
    config = GeneratorConfig(
        family="cgan", width=4, latent=8, rate=2e-3, options={"most_augmentation": 0.0}
    )
    family = build_family(config, 16, 2)
    labels = torch.arange(16) % 2
    images = torch.full((16, 3, 16, 16), -0.8)
    images[labels == 0, 0] = 0.8
    images[labels == 1, 2] = 0.8
    random = Generator().manual_seed(0)
    for step in range(300):
        family.prepare_step(Progress(step, 300))
        family.step(images, labels, random, Progress(step, 300))
    with torch.no_grad():
        drawn = family.sampler(family.sampler.draw_latents(16, random), labels).mean((2, 3))
    red, blue = drawn[:, 0], drawn[:, 2]
    assert float((red > blue)[labels == 0].float().mean()) > 0.7
    assert float((red < blue)[labels == 1].float().mean()) > 0.7


def test_unknown_option_is_named() -> None:
    with pytest.raises(DermaugError) as caught:
        build_family(GeneratorConfig(family="cgan", options={"penalti": 1.0}), SIDE, 2)
    assert "penalti" in str(caught.value.details)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="../shared/weights is not here")
def test_projected_discriminator_learns_while_its_backbone_stays() -> None:
    torch.manual_seed(0)
    config = GeneratorConfig(
        family="projected", width=4, latent=8, options={"weights": str(WEIGHTS), **TRUNK}
    )
    family = build_family(config, SIDE, 2)
    assert isinstance(family, Projected)
    family.prepare()
    backbone = family._backbone[0]
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    images, labels, random = batch()
    heads = [parameter.clone() for parameter in family.heads.parameters()]
    losses = [
        float(family.step(images, labels, random, Progress(step, 10))["discriminator_loss"])
        for step in range(10)
    ]
    assert losses[-1] < losses[0]
    for key, value in backbone.state_dict().items():
        # What the file lacks is not a number; no scale here rests on it.
        torch.testing.assert_close(value, before[key], rtol=0.0, atol=0.0, equal_nan=True)
    moved = zip(heads, family.heads.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in moved)
    kept = {key for key in family.state_dict() if "backbone" in key}
    assert kept == {"backbone_mean", "backbone_std"}
    assert isinstance(family.heads, nn.ModuleList)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="../shared/weights is not here")
def test_projected_refuses_scales_without_weights() -> None:
    config = GeneratorConfig(
        family="projected", width=4, options={"weights": str(WEIGHTS), "scales": 5, **TRUNK}
    )
    with pytest.raises(DermaugError, match="use fewer scales"):
        build_family(config, SIDE, 2).prepare()


def test_projected_names_a_backbone_that_timm_lacks() -> None:
    config = GeneratorConfig(family="projected", options={"backbone": "mobilnet"})
    with pytest.raises(DermaugError, match="unknown model 'mobilnet'"):
        build_family(config, SIDE, 2)
