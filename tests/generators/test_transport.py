"""Paths and solvers against what is known in closed form."""

import math

import pytest
import torch
from torch import Generator, Tensor

from dermaug.generators.transport import (
    SOLVERS,
    TIMES,
    from_patches,
    guided,
    left_share,
    linear_share,
    logit_normal_times,
    path_velocity,
    spread_on_path,
    straight_path,
    to_patches,
)

RANDOM = 0


def images(number: int, seed: int = RANDOM) -> Tensor:
    return torch.randn(number, 3, 8, 8, generator=Generator().manual_seed(seed))


def test_path_starts_at_noise_and_ends_at_images() -> None:
    noise, ends = images(4), images(4, 1)
    torch.testing.assert_close(straight_path(noise, ends, torch.zeros(4)), noise)
    torch.testing.assert_close(straight_path(noise, ends, torch.ones(4)), ends)
    times = torch.tensor([0.0, 0.25, 0.5, 1.0])
    expected = torch.stack(
        [(1 - t) * a + t * b for t, a, b in zip(times, noise, ends, strict=True)]
    )
    torch.testing.assert_close(straight_path(noise, ends, times), expected)


def test_velocity_is_the_path_s_derivative() -> None:
    noise, ends = images(4).double(), images(4, 1).double()
    times = torch.tensor([0.1, 0.4, 0.6, 0.9], dtype=torch.float64)
    later = straight_path(noise, ends, times + 1e-6)
    slope = (later - straight_path(noise, ends, times)) / 1e-6
    torch.testing.assert_close(slope, path_velocity(noise, ends), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_straight_lines_are_followed_exactly(solver: str) -> None:
    noise, ends = images(4), images(4, 1)
    found = SOLVERS[solver](lambda _points, _times: ends - noise, noise, 3)
    torch.testing.assert_close(found, ends, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2)])
def test_order_of_the_solvers(solver: str, order: int) -> None:
    """x' = x cos(3 t) leads to exp(sin(3 t) / 3); half the step, a 2^order-th of the error."""
    start = torch.ones(1, dtype=torch.float64)

    def error(steps: int) -> float:
        found = SOLVERS[solver](lambda points, times: points * (3.0 * times).cos(), start, steps)
        return abs(found.item() - math.exp(math.sin(3.0) / 3.0))

    measured = math.log2(error(400) / error(800))
    assert measured == pytest.approx(order, abs=0.05)


@pytest.mark.parametrize("solver", SOLVERS)
def test_velocity_of_a_normal_target_leads_to_its_mean_and_deviation(solver: str) -> None:
    """Images N(0.3, 0.5): E[velocity | x_t] is linear in x_t - t mean, the exact field."""
    mean, spread = 0.3, 0.5

    def velocity(points: Tensor, times: Tensor) -> Tensor:
        times = times[:, None]
        return mean + linear_share(times, spread) * (points - times * mean)

    noise = torch.randn(20_000, 1, generator=Generator().manual_seed(0))
    found = SOLVERS[solver](velocity, noise, 200)
    # The field maps noise z to mean + spread z exactly.
    torch.testing.assert_close(found, mean + spread * noise, rtol=0.0, atol=0.02)


def test_shares_are_the_regression_of_velocity_on_the_point() -> None:
    """Slope and residual of a least-squares fit of many simulated paths."""
    random = Generator().manual_seed(0)
    noise, ends = torch.randn(2, 200_000, generator=random)
    ends = ends * 0.5
    for time in (0.0, 0.3, 0.7, 1.0):
        times = torch.full((1,), time)
        points = straight_path(noise, ends, torch.full((200_000,), time))
        velocity = path_velocity(noise, ends)
        slope = (points * velocity).mean() / points.square().mean()
        assert linear_share(times, 0.5).item() == pytest.approx(slope.item(), abs=0.02)
        assert spread_on_path(times, 0.5).item() == pytest.approx(points.std().item(), rel=0.01)
        left = (velocity - slope * points).std().item()
        assert left_share(times, 0.5).item() == pytest.approx(left, rel=0.01)


def test_guidance() -> None:
    told, untold = images(2), images(2, 1)
    torch.testing.assert_close(guided(told, untold, 1.0), told)
    torch.testing.assert_close(guided(told, untold, 0.0), untold)
    torch.testing.assert_close(guided(told, untold, 3.0), told + 2.0 * (told - untold))


@pytest.mark.parametrize("kind", TIMES)
def test_times_lie_between_noise_and_image_around_the_middle(kind: str) -> None:
    times = TIMES[kind](10_000, Generator().manual_seed(0))
    assert times.shape == (10_000,)
    assert 0.0 <= times.min() < times.max() <= 1.0
    assert times.mean().item() == pytest.approx(0.5, abs=0.01)


def test_logit_normal_times_by_their_quartiles() -> None:
    quartiles = logit_normal_times(50_000, Generator().manual_seed(0)).quantile(
        torch.tensor([0.25, 0.75])
    )
    expected = torch.tensor([-0.67449, 0.67449]).sigmoid()
    torch.testing.assert_close(quartiles, expected, rtol=0.0, atol=0.01)


@pytest.mark.parametrize("side", [1, 2, 4])
def test_patches_hold_their_square_of_pixels(side: int) -> None:
    pixels = images(2)
    patches = to_patches(pixels, side)
    assert patches.shape == (2, 3 * side**2, 8 // side, 8 // side)
    torch.testing.assert_close(from_patches(patches, side), pixels)
    square = pixels[0, :, :side, side : 2 * side] if side < 8 else pixels[0]
    torch.testing.assert_close(patches[0, :, 0, 1].sort().values, square.flatten().sort().values)
