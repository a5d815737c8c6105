"""Functions for flow matching: straight paths from noise to images, and solvers along them.

Lipman et al. 2022, arXiv:2210.02747; Liu et al. 2022, arXiv:2209.03003. Time runs from 0 (noise) to
1 (image).
"""

from collections.abc import Callable

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor

Points = Float[Tensor, "b ..."]
Times = Float[Tensor, " b"]
Velocity = Callable[[Points, Times], Points]
"""Function of points and times that returns the velocity of each point."""
Solver = Callable[[Velocity, Points, int], Points]


def straight_path(noise: Points, images: Points, times: Times) -> Points:
    """Points x_t = (1 - t) noise + t image, one time per image (Lipman et al., equation 22)."""
    return torch.lerp(noise, images, alike(times, noise))


def path_velocity(noise: Points, images: Points) -> Points:
    """The derivative of x_t, constant along a straight path (Lipman et al., equation 23)."""
    return images - noise


def spread_on_path(times: Times, spread: float) -> Times:
    """Standard deviation of x_t if images have standard deviation `spread` around 0."""
    return ((1.0 - times).square() + (times * spread).square()).sqrt()


def linear_share(times: Times, spread: float) -> Times:
    """Factor of x_t in the best linear estimate of the velocity.

    The estimate is exact if images are normal noise of standard deviation `spread`.
    """
    covariance = times * spread**2 - (1.0 - times)
    return covariance / spread_on_path(times, spread).square()


def left_share(times: Times, spread: float) -> Times:
    """Standard deviation of the velocity around the best linear estimate."""
    return spread / spread_on_path(times, spread)


def uniform_times(number: int, random: Generator) -> Times:
    """Times spread evenly over [0, 1)."""
    return torch.rand(number, generator=random, device=random.device)


def logit_normal_times(number: int, random: Generator) -> Times:
    """Times concentrated in the middle of the path, where the velocity is hardest to predict.

    sigmoid(N(0, 1)), Esser et al. 2024, arXiv:2403.03206, section 3.1.
    """
    return torch.randn(number, generator=random, device=random.device).sigmoid()


TIMES: dict[str, Callable[[int, Generator], Times]] = {
    "uniform": uniform_times,
    "logit_normal": logit_normal_times,
}
"""Name -> function that draws the times of a training batch."""


def guided(told: Points, untold: Points, scale: float) -> Points:
    """Classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598, equation 6).

    Args:
        told: Velocity conditioned on the class.
        untold: Unconditional velocity.
        scale: 1 is the conditional velocity; larger values exaggerate features of the class.
    """
    return torch.lerp(untold, told, scale)


def euler(velocity: Velocity, points: Points, steps: int) -> Points:
    """Integrate a velocity from time 0 to 1 by Euler's method, one evaluation per step.

    Example:
        >>> halfway = euler(lambda points, times: torch.full_like(points, 0.5), torch.zeros(1), 3)
        >>> halfway.item()
        0.5
    """
    for step in range(steps):
        points = points + velocity(points, _times(points, step / steps)) / steps
    return points


def heun(velocity: Velocity, points: Points, steps: int) -> Points:
    """Integrate a velocity from time 0 to 1 by Heun's method, two evaluations per step.

    Each step is corrected by the velocity at its end (Karras et al. 2022, arXiv:2206.00364,
    algorithm 1), except the last one: networks are least accurate at the end of the path, where
    almost no noise is left.
    """
    for step in range(steps - 1):
        first = velocity(points, _times(points, step / steps))
        second = velocity(points + first / steps, _times(points, (step + 1) / steps))
        points = points + (first + second) / (2.0 * steps)
    return points + velocity(points, _times(points, 1.0 - 1.0 / steps)) / steps


SOLVERS: dict[str, Solver] = {"euler": euler, "heun": heun}
"""Name -> function that integrates a velocity."""


def to_patches(images: Float[Tensor, "b c h w"], side: int) -> Float[Tensor, "b d i j"]:
    """Move each square of `side` pixels into the channels of one pixel.

    Example:
        >>> to_patches(torch.zeros(1, 3, 64, 64), 2).shape
        torch.Size([1, 12, 32, 32])
    """
    return rearrange(images, "b c (i p) (j q) -> b (c p q) i j", p=side, q=side)


def from_patches(patches: Float[Tensor, "b d i j"], side: int) -> Float[Tensor, "b c h w"]:
    """The inverse of `to_patches`."""
    return rearrange(patches, "b (c p q) i j -> b c (i p) (j q)", p=side, q=side)


def alike(times: Times, points: Points) -> Points:
    """Reshape times so that they broadcast with their points."""
    return times.reshape(-1, *[1] * (points.ndim - 1))


def _times(points: Points, time: float) -> Times:
    return torch.full((len(points),), time, dtype=points.dtype, device=points.device)
