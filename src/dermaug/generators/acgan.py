"""ACGAN (Odena et al. 2016, arXiv:1610.09585), one for all classes as in Frid-Adar et al. 2018.

The networks are those of DCGAN. The latent is joined with a class embedding, and the discriminator
also predicts the class, which makes it a classifier. Frid-Adar et al. (arXiv:1803.01229, section on
ACGAN) used a learning rate of 1e-4.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from dermaug.config import GeneratorConfig, Section
from dermaug.generators.dcgan import DcganGenerator, judging_layers
from dermaug.generators.family import Family, Images, Progress, own_options
from dermaug.generators.objectives import discriminator_loss, nonsaturating_loss


@dataclass(frozen=True)
class Verdict:
    """Output of the discriminator for a batch.

    Args:
        real: Logits, high for real images.
        classes: Logits of each class.
    """

    real: Float[Tensor, " b"]
    classes: Float[Tensor, "b classes"]


Joined = Literal["product", "concatenated"]


class AcganGenerator(DcganGenerator):
    """DCGAN's generator on the latent joined with a class embedding of the same dimension.

    Args:
        latent: Dimensions of the latent, uniform in [-1, 1].
        width: Channels of the layer nearest the image.
        size: Side of the images in pixels.
        kernel: 4 or 5.
        num_classes: Number of classes that it draws.
        joined: How latent and embedding are joined.
    """

    def __init__(
        self, latent: int, width: int, size: int, kernel: int, num_classes: int, joined: Joined
    ) -> None:
        super().__init__(latent if joined == "product" else 2 * latent, width, size, kernel)
        self.latent, self.joined = latent, joined
        self.classes = nn.Embedding(num_classes, latent)

    def forward(self, latents: Float[Tensor, "n latent"], labels: Int[Tensor, " n"]) -> Images:
        """Images in [-1, 1] of the classes `labels`."""
        told = self.classes(labels)
        whole = latents * told if self.joined == "product" else torch.cat([latents, told], 1)
        return super().forward(whole, labels)


class AcganDiscriminator(nn.Module):
    """DCGAN's discriminator with two outputs: real or generated, and the class.

    Args:
        width: Channels of the layer nearest the image.
        size: Side of the images in pixels.
        kernel: 4 or 5.
        num_classes: Number of classes that it distinguishes.
    """

    def __init__(self, width: int, size: int, kernel: int, num_classes: int) -> None:
        super().__init__()
        self.layers = judging_layers(width, size, kernel, outputs=1 + num_classes)

    def forward(self, images: Images) -> Verdict:
        """Both outputs for images in [-1, 1]."""
        logits = self.layers(images).flatten(1)  # b (1 + classes)
        return Verdict(logits[:, 0], logits[:, 1:])


class Acgan(Family):
    """Generator and discriminator with Adam, one step of each per batch."""

    conditional: ClassVar[bool] = True

    class Options(Section):
        """Settings of an ACGAN."""

        kernel: Literal[4, 5] = 4
        """Side of the (transposed) convolutions."""
        joined: Joined = "product"
        """The latent is multiplied by the class embedding, or concatenated with it as in Odena et
        al. A concatenated class alone can satisfy the class loss, and the network then draws one
        image per class; a product always depends on the latent."""
        class_weight: float = Field(default=1.0, ge=0.0, le=1_000.0)
        """Weight of the class loss relative to the adversarial loss; 1 as published."""
        beta1: float = Field(default=0.5, ge=0.0, lt=1.0)
        """Adam's first moment."""

    def __init__(self, config: GeneratorConfig, size: int, num_classes: int = 1) -> None:
        super().__init__(config, size, num_classes)
        own = self.own = own_options(self.Options, config)
        self.sampler = AcganGenerator(
            config.latent, config.width, size, own.kernel, num_classes, own.joined
        )
        self.discriminator = AcganDiscriminator(config.width, size, own.kernel, num_classes)
        betas = (own.beta1, 0.999)
        self.optimizers = self.adam(betas, sampler=config.rate, discriminator=config.rate)

    def prepare_step(self, progress: Progress) -> str:
        """All steps are alike."""
        return "step"

    def step(
        self, images: Images, labels: Int[Tensor, " b"], random: Generator, progress: Progress
    ) -> dict[str, Tensor]:
        """One step of the discriminator, then one of the generator against it.

        Generated images have the classes of the real batch, so that `sampling` applies to both.
        """
        fake_images = self.sampler(self.sampler.draw_latents(len(images), random), labels)
        real = self.discriminator(images)
        with unrecorded_statistics(self.discriminator):
            fake = self.discriminator(fake_images.detach())
        class_loss = class_log_loss(real, labels) + class_log_loss(fake, labels)
        d_loss = discriminator_loss(real.real, fake.real)
        self.descend("discriminator", d_loss + self.own.class_weight * class_loss)

        # The discriminator's weights need no gradient here, which saves a twelfth of the step.
        self.discriminator.requires_grad_(False)
        with unrecorded_statistics(self.discriminator):
            judged = self.discriminator(fake_images)
        g_loss = nonsaturating_loss(real.real, judged.real)
        self.descend("sampler", g_loss + self.own.class_weight * class_log_loss(judged, labels))
        self.discriminator.requires_grad_(True)
        return {
            "discriminator_loss": d_loss.detach(),
            "generator_loss": g_loss.detach(),
            "class_loss": class_loss.detach() / 2.0,
            "real_probability": real.real.detach().sigmoid().mean(),
            "fake_probability": fake.real.detach().sigmoid().mean(),
        }

    def realness(self, images: Images, labels: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """The discriminator's logits of real versus generated."""
        verdict: Verdict = self.discriminator(images)
        return verdict.real

    def class_logits(self, images: Images) -> Float[Tensor, "b classes"]:
        """The discriminator's logits of each class."""
        verdict: Verdict = self.discriminator(images)
        return verdict.classes


def class_log_loss(verdict: Verdict, labels: Int[Tensor, " b"]) -> Tensor:
    """-log P(C = c | X), one half of L_C (Odena et al. 2016, equation 3)."""
    return cross_entropy(verdict.classes, labels)


@contextmanager
def unrecorded_statistics(network: nn.Module) -> Iterator[None]:
    """Use batch norm in training mode without updating its running statistics.

    The trained discriminator is applied to real images. Running statistics of a mixture of two
    parts generated and one part real images would fit neither kind.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
