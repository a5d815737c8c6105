"""What the discriminator sees: equivariant, differentiable, and changed as often as asked."""

import pytest
import torch
from torch import Generator, Tensor

from dermaug.generators.diffaugment import Strength, augment


def images(number: int = 16, side: int = 16) -> Tensor:
    return torch.rand(number, 3, side, side, generator=Generator().manual_seed(0)) * 2.0 - 1.0


def test_strength_zero_changes_nothing() -> None:
    before = images()
    after = augment(before, Generator().manual_seed(1), 0.0)
    torch.testing.assert_close(after, before, rtol=0.0, atol=1e-5)


def test_same_numbers_do_the_same_to_real_and_generated_images() -> None:
    """Augmentation commutes with the order of the images, each with parameters of its own."""
    before = images(1).repeat(8, 1, 1, 1)
    after = augment(before, Generator().manual_seed(1), 1.0)
    again = augment(before, Generator().manual_seed(1), 1.0)
    torch.testing.assert_close(after, again, rtol=0.0, atol=0.0)
    assert len({tuple(each.flatten()[:50].tolist()) for each in after}) == 8


def test_affine_colours_pass_through_geometry() -> None:
    """Geometry acts alike on all channels: a grey image stays grey."""
    grey = images()[:, :1].repeat(1, 3, 1, 1)
    after = augment(grey, Generator().manual_seed(2), 1.0)
    torch.testing.assert_close(after[:, 0], after[:, 1], rtol=0.0, atol=1e-5)


def test_strength_is_the_probability_of_each_change() -> None:
    many = images(2_000, 8)
    after = augment(many, Generator().manual_seed(3), 0.3)
    untouched = ((after - many).abs().amax((1, 2, 3)) < 1e-5).float().mean()
    assert float(untouched) == pytest.approx(0.7**3, abs=0.04)


def test_gradient_reaches_every_image() -> None:
    before = images().requires_grad_(True)
    augment(before, Generator().manual_seed(4), 1.0).square().sum().backward()
    assert before.grad is not None
    assert bool((before.grad.abs().sum((1, 2, 3)) > 0.0).all())


@pytest.mark.parametrize(("margin", "rises"), [(4.0, True), (0.0, False)])
def test_controller_follows_the_discriminator(margin: float, rises: bool) -> None:
    strength = Strength(target=0.6, images=1_000, start=0.4)
    random = Generator().manual_seed(0)
    for _ in range(20):
        fake = torch.randn(16, generator=random)
        strength.follow(torch.randn(16, generator=random) + margin, fake)
    assert (float(strength.probability) > 0.4) == rises
    assert 0.0 <= float(strength.probability) <= 0.8
