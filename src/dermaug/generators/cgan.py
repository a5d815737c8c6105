"""A conditional GAN for small data: one network for all classes, first trained without classes.

It has residual networks without batch norm, a loss with zero-centred gradient penalties (R3GAN,
Huang et al. 2024, arXiv:2501.05441) and augmentation of all images shown to the discriminator
(arXiv:2006.06676). Conditioning on the class starts only after the classes were learnt together
(Shahbazi et al. 2022, arXiv:2201.06578), since small classes collapse if conditioned from the
start.
"""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Generator, Tensor, autocast

from dermaug.config import GeneratorConfig, Section
from dermaug.generators.conditioning import told_share
from dermaug.generators.diffaugment import Strength, augment
from dermaug.generators.family import Family, Images, Progress, own_options
from dermaug.generators.objectives import OBJECTIVES, gradient_penalty
from dermaug.generators.residual import GROUP, ResidualDiscriminator, ResidualGenerator


class Cgan(Family):
    """Generator and discriminator with Adam, one step of each per batch."""

    conditional: ClassVar[bool] = True
    part_of: ClassVar[int] = GROUP

    class Options(Section):
        """Settings of the conditional GAN."""

        objective: Literal["nonsaturating", "hinge", "relativistic"] = "relativistic"
        """Key of `dermaug.generators.objectives.OBJECTIVES`."""
        penalty: float = Field(default=0.5, ge=0.0, le=1e6)
        """Weight gamma of R1 and R2: each adds gamma / 2 times the squared norm of its gradient."""
        penalty_interval: int = Field(default=8, ge=1, le=10_000)
        """Steps between penalties, whose weight is multiplied by it (lazy regularisation)."""
        told_from: float = Field(default=0.25, ge=0.0, le=1.0)
        """Fraction of the training at which conditioning on the class starts; 0: from the start."""
        told_by: float = Field(default=0.5, ge=0.0, le=1.0)
        """Fraction of the training at which conditioning on the class is complete."""
        overfitting: float = Field(default=0.6, ge=0.0, le=1.0)
        """Target of the adaptive augmentation: mean sign of the logits of real images."""
        most_augmentation: float = Field(default=0.8, ge=0.0, le=1.0)
        """Highest probability of each augmentation; 0 switches it off."""
        adaptation: float = Field(default=10_000, gt=0.0, le=1e9)
        """Smallest number of images in which the probability rises from 0 to 1."""
        beta1: float = Field(default=0.0, ge=0.0, lt=1.0)
        """Adam's first moment."""
        beta2: float = Field(default=0.99, gt=0.0, lt=1.0)
        """Adam's second moment."""
        discriminator_rate: float = Field(default=1.0, gt=0.0, le=1_000.0)
        """Factor on the discriminator's learning rate."""

    def __init__(self, config: GeneratorConfig, size: int, num_classes: int = 1) -> None:
        super().__init__(config, size, num_classes)
        self.own = own_options(self.Options, config)
        self.sampler = ResidualGenerator(config.latent, config.width, size, num_classes)
        self.discriminator = ResidualDiscriminator(config.width, size, num_classes)
        self.strength = Strength(
            self.own.overfitting, self.own.adaptation, most=self.own.most_augmentation
        )
        self.d_loss, self.g_loss = OBJECTIVES[self.own.objective]
        betas = (float(self.own.beta1), self.own.beta2)
        d_rate = config.rate * self.own.discriminator_rate
        self.optimizers = self.adam(betas, sampler=config.rate, discriminator=d_rate)

    def prepare_step(self, progress: Progress) -> str:
        """Set the strength of conditioning, which rises from 0 to 1 between two points."""
        told = told_share(progress.fraction, self.own.told_from, self.own.told_by)
        for network in (self.sampler, self.discriminator):
            network.get_buffer("conditioning").fill_(told)
        return "penalised" if self._is_penalised(progress.step) else "plain"

    def step(
        self, images: Images, labels: Int[Tensor, " b"], random: Generator, progress: Progress
    ) -> dict[str, Tensor]:
        """One step of the discriminator, then one of the generator against it."""
        fake_images = self.sampler(self.sampler.draw_latents(len(images), random), labels)
        real, fake = self._judge([images, fake_images.detach()], labels, random)
        d_loss = self.d_loss(real, fake)
        penalty = self._penalty(images, fake_images, labels, random, progress.step)
        self.descend("discriminator", d_loss + penalty)

        # The discriminator's weights need no gradient here, and neither do the real images.
        self.discriminator.requires_grad_(False)
        with torch.no_grad():
            (rival,) = self._judge([images], labels, random)
        (own,) = self._judge([fake_images], labels, random)
        g_loss = self.g_loss(rival, own)
        self.descend("sampler", g_loss)
        self.discriminator.requires_grad_(True)
        seen = [self.ranks.whole(logits.detach()) for logits in (real, fake)]
        return {
            "discriminator_loss": d_loss.detach(),
            "generator_loss": g_loss.detach(),
            "real_sign": self.strength.follow(*seen),
            "augmentation": self.strength.probability.clone(),
        }

    def realness(self, images: Images, labels: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """The discriminator's logits, without augmentation."""
        logits: Tensor = self.discriminator(images, labels)
        return logits

    def _judge(
        self, parts: list[Images], labels: Int[Tensor, " b"], random: Generator
    ) -> tuple[Tensor, ...]:
        """Logits of some batches of the same labels, augmented, in one pass."""
        logits: Tensor = self.discriminator(self._shown(parts, random), labels.repeat(len(parts)))
        return logits.chunk(len(parts))

    def _shown(self, parts: list[Images], random: Generator) -> Images:
        """Join batches and augment them for the discriminator."""
        together = torch.cat(parts)
        if self.own.most_augmentation == 0.0:
            return together
        return augment(together, random, self.strength.probability)

    def _penalty(
        self,
        images: Images,
        fake_images: Images,
        labels: Int[Tensor, " b"],
        random: Generator,
        step: int,
    ) -> Tensor:
        """R1 + R2 in float32 every few steps, weighted by their number; 0 at other steps."""
        interval = self.own.penalty_interval
        if not self._is_penalised(step):
            return images.new_zeros(())
        with autocast(images.device.type, enabled=False):
            # With respect to the augmented images: resampling cannot be differentiated twice.
            seen = self._shown([images, fake_images.detach()], random).float().requires_grad_(True)
            logits = self.discriminator(seen, labels.repeat(2))
            # The penalty is a mean over both halves; twice this mean is the sum of R1 and R2.
            return self.own.penalty * interval * gradient_penalty(seen, logits)

    def _is_penalised(self, step: int) -> bool:
        return self.own.penalty > 0.0 and step % self.own.penalty_interval == 0
