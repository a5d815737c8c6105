"""Flow matching (Lipman et al. 2022, arXiv:2210.02747), a generator without a discriminator.

One network for all classes learns the velocity of straight paths from noise to images. The class is
sometimes dropped in training, which allows classifier-free guidance when images are drawn (Ho &
Salimans 2022, arXiv:2207.12598).
"""

from typing import ClassVar, Literal

import torch
from einops import rearrange
from jaxtyping import Float, Int
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn.functional import mse_loss
from torch.nn.utils import clip_grad_norm_

from dermaug.config import GeneratorConfig
from dermaug.generators.family import Family, Images, Progress, Sampler, own_options
from dermaug.generators.transport import (
    SOLVERS,
    TIMES,
    Points,
    Times,
    alike,
    guided,
    left_share,
    linear_share,
    path_velocity,
    spread_on_path,
    straight_path,
)
from dermaug.generators.unet import UNet

LONGEST_GRADIENT = 1.0
SPREAD = 0.5
"""Approximate standard deviation around 0 of the pixels of photographs in [-1, 1]."""


class FlowOptions(Family.Options):
    """Settings of flow matching."""

    solver: Literal["euler", "heun"] = "heun"
    """Solver: Euler's method, or Heun's method with two evaluations per step."""
    steps: int = Field(default=8, ge=1, le=1_000)
    """Number of steps from noise to image."""
    guidance: float = Field(default=1.0, ge=0.0, le=100.0)
    """Scale of classifier-free guidance: 1 is none; other values double the work."""
    class_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Fraction of the training images whose class is dropped."""
    times: Literal["uniform", "logit_normal"] = "uniform"
    """Distribution of training times: uniform, or concentrated in the middle of the path."""
    patch: Literal[1, 2, 4] = 2
    """Side of the patches of pixels on which the network works: 2 for 64 px, 4 for 128 px."""
    beta2: float = Field(default=0.99, gt=0.0, lt=1.0)
    """Adam's second moment."""


class FlowSampler(Sampler):
    """The velocity network, with the solver that turns noise into images.

    Args:
        config: Configuration of the generator, for example its width.
        own: The family's options.
        size: Side of the images in pixels.
        num_classes: Number of classes that it draws.
    """

    truncates: ClassVar[bool] = False  # less noise is not on the paths that it has learnt
    output: ClassVar[str] = "velocity"

    def __init__(
        self, config: GeneratorConfig, own: FlowOptions, size: int, num_classes: int
    ) -> None:
        super().__init__()
        self.latent, self.size, self.own = 3 * size**2, size, own
        self.network = UNet(config.width, size, num_classes, own.patch)

    def draw_latents(self, number: int, random: Generator) -> Float[Tensor, "n latent"]:
        """Standard normal: one dimension per pixel value of the noise."""
        return torch.randn(number, self.latent, generator=random, device=random.device)

    def forward(self, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]) -> Images:
        """Images in [-1, 1]."""
        return self._arrive(self.noise(latents), labels, 0.0)

    def translate(
        self,
        images: Images,
        labels: Int[Tensor, " n"],
        latents: Float[Tensor, "n latent"],
        kept: float,
    ) -> Images:
        """Add noise to images and draw them again, as another class (SDEdit, arXiv:2108.01073).

        Args:
            images: Images in [-1, 1].
            labels: Classes that are drawn.
            latents: The noise.
            kept: Time on the path from noise to image from which they are drawn, 0 to below 1.
        """
        times = torch.full((len(images),), kept, device=images.device)
        return self._arrive(straight_path(self.noise(latents), images, times), labels, kept)

    def evaluated(self) -> nn.Module:
        """The velocity that the solver follows; the steps are left to the other program."""
        return FollowedVelocity(self)

    def inputs(
        self, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]
    ) -> dict[str, Tensor]:
        """Noise, times between 0 and 1, and classes."""
        times = torch.linspace(0.0, 1.0, len(latents) + 2)[1:-1]
        return {"points": self.noise(latents), "times": times, "labels": labels}

    def _arrive(self, points: Images, labels: Int[Tensor, " n"], start: float) -> Images:
        """Follow the paths of points from the time `start` to the image, in [-1, 1]."""

        def of_labels(points: Points, share: Times) -> Points:
            left = 1.0 - start  # the solver's time runs from 0 to 1 on what is left of the path
            return left * self.followed(points, start + left * share, labels)

        return SOLVERS[self.own.solver](of_labels, points, self.own.steps).clamp(-1.0, 1.0)

    def followed(self, points: Images, times: Times, labels: Int[Tensor, " n"]) -> Images:
        """Velocity that the solver follows: of the class, guided where the options say so."""
        told = self.velocity(points, times, labels)
        if self.own.guidance == 1.0:
            return told
        nothing = torch.full_like(labels, self.network.no_class)
        return guided(told, self.velocity(points, times, nothing), self.own.guidance)

    def velocity(self, points: Images, times: Times, labels: Int[Tensor, " n"]) -> Images:
        """Velocity of points: the best linear guess plus the scaled output of the network.

        With this preconditioning (Karras et al. 2022, arXiv:2206.00364, section 5, here for
        straight paths), the network need neither copy the noise nor know its scale.

        Args:
            points: Points on the paths.
            times: Their times.
            labels: Classes; `network.no_class` for no class.
        """
        unit = 1.0 / alike(spread_on_path(times, SPREAD), points)
        better: Tensor = self.network(points * unit, times, labels)
        guess = alike(linear_share(times, SPREAD), points) * points
        return guess + alike(left_share(times, SPREAD), points) * better

    def noise(self, latents: Float[Tensor, "n latent"]) -> Images:
        """Reshape latents to the shape of images."""
        return rearrange(latents, "n (c h w) -> n c h w", c=3, h=self.size)


class FollowedVelocity(nn.Module):
    """`FlowSampler.followed` as a network of its own.

    Args:
        sampler: The sampler.
    """

    def __init__(self, sampler: FlowSampler) -> None:
        super().__init__()
        self.sampler = sampler

    def forward(self, points: Images, times: Times, labels: Int[Tensor, " n"]) -> Images:
        """Velocities at points on the paths."""
        return self.sampler.followed(points, times, labels)


class Flow(Family):
    """One network with Adam; `latent` of the configuration is ignored."""

    conditional: ClassVar[bool] = True
    part_of: ClassVar[int] = 1
    translates: ClassVar[bool] = True
    Options = FlowOptions
    sampler: FlowSampler

    def __init__(self, config: GeneratorConfig, size: int, num_classes: int = 1) -> None:
        super().__init__(config, size, num_classes)
        self.own = own_options(FlowOptions, config)
        self.sampler = FlowSampler(config, self.own, size, num_classes)
        self.optimizers = self.adam((0.9, self.own.beta2), sampler=config.rate)

    def prepare_step(self, progress: Progress) -> str:
        """All steps are alike."""
        return "step"

    def step(
        self, images: Images, labels: Int[Tensor, " b"], random: Generator, progress: Progress
    ) -> dict[str, Tensor]:
        """One regression step for the velocity at random points of the paths."""
        noise = self.sampler.noise(self.sampler.draw_latents(len(images), random))
        times = TIMES[self.own.times](len(images), random)
        untold = torch.rand(len(images), generator=random, device=random.device)
        told = labels.masked_fill(untold < self.own.class_dropout, self.sampler.network.no_class)
        found = self.sampler.velocity(straight_path(noise, images, times), times, told)
        loss = mse_loss(found.float(), path_velocity(noise, images))
        self.differentiate("sampler", loss)
        length = clip_grad_norm_(self.sampler.parameters(), LONGEST_GRADIENT)
        self.optimizers["sampler"].step()
        return {"velocity_loss": loss.detach(), "gradient_norm": length.detach()}
