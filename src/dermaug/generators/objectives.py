"""Losses and penalties of adversarial training, as functions of the discriminator's logits."""

from collections.abc import Callable

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus

Logits = Float[Tensor, " b"]
Loss = Callable[[Logits, Logits], Tensor]
"""Function of the logits of real and of generated images, one pair per row."""


def discriminator_loss(real: Logits, fake: Logits) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), mean over each half (Goodfellow et al. 2014, equation 1)."""
    return softplus(-real).mean() + softplus(fake).mean()


def hinge_discriminator_loss(real: Logits, fake: Logits) -> Tensor:
    """Hinge loss: real logits above 1, generated ones below -1 (Lim and Ye 2017, arXiv:1705.02894).

    Example:
        >>> hinge_discriminator_loss(torch.tensor([2.0, 0.0]), torch.tensor([-2.0, 0.0])).item()
        1.0
    """
    return relu(1.0 - real).mean() + relu(1.0 + fake).mean()


def relativistic_loss(favoured: Logits, rival: Logits) -> Tensor:
    """Mean softplus(rival - favoured), small when each favoured logit beats its paired rival.

    The discriminator favours real images, the generator its own (Jolicoeur-Martineau 2018,
    arXiv:1807.00734; R3GAN, Huang et al. 2024, arXiv:2501.05441, equation 2).
    """
    return softplus(rival - favoured).mean()


def gradient_penalty(images: Float[Tensor, "b c h w"], logits: Logits) -> Tensor:
    """Batch mean of the squared norm of d logit / d image, which can be differentiated again.

    R1 on real images (Mescheder et al. 2018, arXiv:1801.04406, equation 9), R2 on generated ones.

    Args:
        images: Images from which the logits were computed; they require a gradient.
        logits: One logit per image, in float32.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return reduce(gradient.square(), "b c h w -> b", "sum").mean()


def nonsaturating_loss(real: Logits, fake: Logits) -> Tensor:
    """The generator's half, -log D(G(z)) (Goodfellow et al. 2014, section 3), without `real`."""
    return softplus(-fake).mean()


def hinge_loss(real: Logits, fake: Logits) -> Tensor:
    """The generator's half of the hinge pair, -D(G(z)); real logits play no part."""
    return -fake.mean()


def relativistic_generator_loss(real: Logits, fake: Logits) -> Tensor:
    """The generator's half of the relativistic pair."""
    return relativistic_loss(fake, real)


OBJECTIVES: dict[str, tuple[Loss, Loss]] = {
    "nonsaturating": (discriminator_loss, nonsaturating_loss),
    "hinge": (hinge_discriminator_loss, hinge_loss),
    "relativistic": (relativistic_loss, relativistic_generator_loss),
}
"""Name -> losses of the discriminator and of the generator, both of (real, fake) logits."""
