"""The interface of generator families, which the training loop uses."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from dermaug.config import GeneratorConfig, Section
from dermaug.experiment_file import Checked, validate_section
from dermaug.training.ranks import ALONE, Ranks

Images = Float[Tensor, "b 3 h w"]


@dataclass(frozen=True)
class Progress:
    """Progress of a training.

    Args:
        step: Number of completed steps.
        total: Total number of steps.
    """

    step: int
    total: int

    @property
    def fraction(self) -> float:
        """Completed fraction of the training, 0 to below 1."""
        return self.step / self.total


class Sampler(nn.Module, ABC):
    """The network that is averaged, saved and sampled from."""

    latent: int
    """Dimensions of the latent."""

    @abstractmethod
    def draw_latents(self, number: int, random: Generator) -> Float[Tensor, "n latent"]:
        """Latents from the family's own distribution, on the generator's device."""

    @abstractmethod
    def forward(self, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]) -> Images:
        """Images in [-1, 1]; a family without classes ignores `labels`."""

    output: ClassVar[str] = "images"
    """What `evaluated` gives: images, or the velocity that leads to them step by step."""

    def evaluated(self) -> nn.Module:
        """The network that other programs evaluate to draw images."""
        return self

    def inputs(
        self, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]
    ) -> dict[str, Tensor]:
        """Example inputs of `evaluated` by name, in the order of its arguments."""
        return {"latents": latents, "labels": labels}

    truncates: ClassVar[bool] = True
    """Whether latents may be scaled towards 0, for images that are more typical and less varied
    (the truncation trick: Brock et al. 2018, arXiv:1809.11096, section 3.1)."""

    def translate(
        self,
        images: Images,
        labels: Int[Tensor, " n"],
        latents: Float[Tensor, "n latent"],
        kept: float,
    ) -> Images:
        """Images of other classes that keep a part of given ones.

        Args:
            images: Images in [-1, 1].
            labels: Classes that are drawn.
            latents: Latents of what is drawn anew.
            kept: How much is kept, 0 (nothing) to below 1.

        Raises:
            NotImplementedError: The family cannot; see `translates`.
        """
        raise NotImplementedError

    @classmethod
    def translates(cls) -> bool:
        """Whether the family has `translate`."""
        return cls.translate is not Sampler.translate


class Family(nn.Module, ABC):
    """All networks and optimisers of one training."""

    conditional: ClassVar[bool]
    """One network for all classes, or one per class."""

    sampler: Sampler

    translates: ClassVar[bool] = False
    """Whether its sampler has `translate`."""

    optimizers: Mapping[str, Optimizer]
    """Optimisers by the name of the network that each updates, for the checkpoint."""

    part_of: ClassVar[int] = 0
    """Several processes may train one network, each on a part of every batch, if the size of the
    part is a multiple of this; 0: they may not."""

    ranks: Ranks = ALONE
    """These processes."""

    class Options(Section):
        """Settings of this family, given as `generators.options`."""

    @abstractmethod
    def __init__(self, config: GeneratorConfig, size: int, num_classes: int = 1) -> None:
        """Build untrained networks for square images of `size` pixels and `num_classes` classes."""
        super().__init__()

    def prepare_step(self, progress: Progress) -> Hashable:
        """Set what changes with the progress, and tell what the next step consists of.

        On a GPU, steps for which this returns the same value, other than None, are recorded once
        and repeated without running `step` (`dermaug.training.graphs`). They must consist of the
        same operations, whatever the progress, and their optimisers must be fused; numbers that
        change are written into tensors here.

        Returns:
            None, unless a family says otherwise: `step` runs every time.
        """
        return None

    @abstractmethod
    def step(
        self, images: Images, labels: Int[Tensor, " b"], random: Generator, progress: Progress
    ) -> dict[str, Tensor]:
        """Update all networks on one batch of real images.

        Args:
            images: Images in [-1, 1].
            labels: Index of each image's class.
            random: Source of latents, on the images' device.
            progress: Progress of the training.

        Returns:
            Losses and other curves by name, detached.
        """

    def adam(self, betas: tuple[float, float], **rates: float) -> dict[str, Optimizer]:
        """Adam for each of the networks of these names, with its learning rate."""
        return {
            name: Adam(self.get_submodule(name).parameters(), rate, betas, fused=True)
            for name, rate in rates.items()
        }

    def descend(self, name: str, loss: Tensor) -> None:
        """Minimise a loss by one step of the optimiser of that name."""
        self.differentiate(name, loss)
        self.optimizers[name].step()

    def differentiate(self, name: str, loss: Tensor) -> None:
        """Compute the gradients of a loss for the optimiser of that name, over all processes."""
        self.optimizers[name].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.ranks.average(gradients_of(self.optimizers[name]))

    def prepare(self) -> None:
        """Load what only a training needs, such as pretrained weights; by default nothing."""

    def realness(self, images: Images, labels: Int[Tensor, " b"]) -> Float[Tensor, " b"] | None:
        """Logits of the discriminator for images in [-1, 1]; None without a discriminator."""
        return None

    def class_logits(self, images: Images) -> Float[Tensor, "b classes"] | None:
        """Logits of each class for images in [-1, 1]; None if the discriminator predicts none."""
        return None

    @classmethod
    def tells_classes(cls) -> bool:
        """Whether the discriminator predicts classes, that is, the family has `class_logits`."""
        return cls.class_logits is not Family.class_logits


def gradients_of(optimizer: Optimizer) -> Iterator[Tensor]:
    """The gradients of all weights that an optimiser updates."""
    for group in optimizer.param_groups:
        yield from (weight.grad for weight in group["params"] if weight.grad is not None)


def own_options(section: type[Checked], config: GeneratorConfig) -> Checked:
    """Validate `config.options` as the family's own section.

    Raises:
        DermaugError: The family does not have some of the options.
    """
    return validate_section(section, config.options, f"generators.options of {config.key}")


@torch.no_grad()
def calibrate_batch_norm(
    sampler: Sampler, labels: Int[Tensor, " n"], random: Generator, batches: int = 8
) -> None:
    """Replace the running statistics of batch norm by those of the present weights.

    Averaged weights need their own statistics (Izmailov et al. 2018, arXiv:1803.05407, section
    3.2). Networks without batch norm are not changed.

    Args:
        sampler: The sampler, which is set to evaluation mode.
        labels: Classes of one batch.
        random: Source of the latents.
        batches: Number of batches for the statistics.
    """
    norms = [module for module in sampler.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
    sampler.train()
    for _ in range(batches if norms else 0):
        sampler(sampler.draw_latents(len(labels), random), labels)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    sampler.eval()


@torch.inference_mode()
def draw(
    sampler: Sampler, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]
) -> UInt8[np.ndarray, "n h w 3"]:
    """Draw the images of some latents, as uint8 on the CPU."""
    return as_pixels(sampler(latents, labels))


def as_pixels(images: Images) -> UInt8[np.ndarray, "n h w 3"]:
    """Images in [-1, 1] as uint8 on the CPU."""
    pixels = images.float().add(1.0).mul(127.5).round().clamp(0.0, 255.0).to(torch.uint8)
    drawn: np.ndarray = rearrange(pixels, "n c h w -> n h w c").cpu().numpy()
    return drawn
