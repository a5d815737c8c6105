"""Losses of adversarial training, as functions of the discriminator's logits."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

Logits = Float[Tensor, " b"]


def nonsaturating_generator_loss(fake: Logits) -> Tensor:
    """-log D(G(z)), the non-saturating loss (Goodfellow et al. 2014, section 3).

    Args:
        fake: Logits of generated images.
    """
    return softplus(-fake).mean()


def discriminator_loss(real: Logits, fake: Logits) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), the mean over each half (Goodfellow et al. 2014, equation 1).

    Args:
        real: Logits of real images.
        fake: Logits of generated images.
    """
    return softplus(-real).mean() + softplus(fake).mean()
