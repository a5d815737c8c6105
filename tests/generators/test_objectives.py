"""Losses against their written-out formulas, penalties against finite differences."""

import pytest
import torch
from torch import Tensor, autocast, nn

from dermaug.generators.objectives import (
    OBJECTIVES,
    gradient_penalty,
    hinge_discriminator_loss,
    relativistic_loss,
)


def logits(seed: int, number: int = 40) -> Tensor:
    return torch.randn(number, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_relativistic_loss_is_the_formula() -> None:
    real, fake = logits(0), logits(1)
    written_out = sum(
        float(torch.log(1.0 + torch.exp(-(r - f)))) for r, f in zip(real, fake, strict=True)
    )
    assert float(relativistic_loss(real, fake)) == pytest.approx(written_out / len(real))


def test_hinge_loss_is_the_formula() -> None:
    real, fake = logits(2), logits(3)
    written_out = sum(max(0.0, 1.0 - float(r)) for r in real) / len(real)
    written_out += sum(max(0.0, 1.0 + float(f)) for f in fake) / len(fake)
    assert float(hinge_discriminator_loss(real, fake)) == pytest.approx(written_out)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_halves_pull_the_generated_logit_in_opposite_directions(name: str) -> None:
    real, fake = logits(4), (0.1 * logits(5)).requires_grad_(True)
    slopes = [torch.autograd.grad(loss(real, fake), fake)[0] for loss in OBJECTIVES[name]]
    assert bool((slopes[0] >= 0.0).all())
    assert bool((slopes[1] <= 0.0).all())
    assert float(slopes[0].sum()) > 0.0 > float(slopes[1].sum())


def discriminator() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(4 * 36, 1))
    return nn.Sequential(layers, nn.Flatten(0))


def test_gradient_penalty_agrees_with_finite_differences() -> None:
    network = discriminator().double()
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64).requires_grad_(True)
    penalty = float(gradient_penalty(images, network(images)).detach())
    step, squares = 1e-5, 0.0
    with torch.no_grad():
        for place in range(images[0].numel()):
            nudge = torch.zeros(images[0].numel(), dtype=torch.float64)
            nudge[place] = step
            moved = nudge.reshape(images[0].shape)
            squares += float(
                ((network(images + moved) - network(images - moved)) / (2 * step)).square().mean()
            )
    assert penalty == pytest.approx(squares, rel=1e-6)


def test_gradient_penalty_can_be_differentiated_and_flattens_the_discriminator() -> None:
    network, images = discriminator(), torch.randn(8, 3, 8, 8).requires_grad_(True)
    optimizer = torch.optim.SGD(network.parameters(), 0.05)
    before = float(gradient_penalty(images, network(images)).detach())
    for _ in range(20):
        optimizer.zero_grad()
        gradient_penalty(images, network(images)).backward()
        optimizer.step()
    assert float(gradient_penalty(images, network(images)).detach()) < 0.5 * before


def test_gradient_penalty_is_float32_outside_autocast() -> None:
    network, images = discriminator(), torch.randn(4, 3, 8, 8).requires_grad_(True)
    exact = gradient_penalty(images, network(images))
    with autocast("cpu", dtype=torch.bfloat16):
        assert network(images).dtype == torch.bfloat16
        with autocast("cpu", enabled=False):
            inside = gradient_penalty(images, network(images))
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, exact, rtol=0.0, atol=0.0)
