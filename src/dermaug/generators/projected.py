"""A conditional GAN whose discriminator uses a pretrained network (Sauer et al. 2021).

In a projected GAN (arXiv:2111.01007), the discriminator consists of small heads on the frozen
features of a network pretrained on ImageNet, at several scales and after fixed random mixing.
Little is left to learn, so few images and few steps are enough. A further head on the pixels sees
fine detail that the features of small images do not contain.
"""

import logging
from pathlib import Path
from typing import Any, ClassVar

import torch
from einops import rearrange
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Generator, Tensor, nn
from torch.nn.functional import leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from dermaug.config import GeneratorConfig, Section
from dermaug.errors import DermaugError
from dermaug.generators.conditioning import told_share
from dermaug.generators.diffaugment import augment
from dermaug.generators.family import Family, Images, Progress, own_options
from dermaug.generators.objectives import hinge_discriminator_loss, hinge_loss
from dermaug.generators.residual import SLOPE, ResidualGenerator
from dermaug.training.convolutions import suit_cpu
from dermaug.training.timm_networks import build_timm
from dermaug.training.weight_packages import packaged_file, packaged_weights
from dermaug.training.weights import PACKAGE, fit_weights, read_weights

# timm warns about the layers after the last scale, which a features-only network does not have.
logging.getLogger("timm.models._builder").setLevel(logging.ERROR)


PACKAGED = "tf_efficientnet_lite1"
"""The backbone by default where its weights are installed."""


class Projected(Family):
    """Generator and heads with Adam, one step of each per batch; the backbone is frozen."""

    conditional: ClassVar[bool] = True

    backbone_mean: Tensor
    """Channel means with which the backbone was trained, for images in [0, 1]; stored in the
    checkpoint, because the heads depend on them."""
    backbone_std: Tensor
    """Standard deviation of each channel, stored for the same reason."""

    class Options(Section):
        """Settings of the projected GAN."""

        backbone: str = "mobilenetv1_100"
        """Name of a timm model that can return features at several scales. Without one, and without
        a weight file: tf_efficientnet_lite1 if its weights are installed (extra `imagenet`)."""
        backbone_options: dict[str, bool | int | float | str] = Field(default_factory=dict)
        """Further arguments of `timm.create_model`."""
        weights: str = ""
        """Local weight file with timm's key names, or `package`: those of an installed package.
        Empty takes the package if it has the backbone, otherwise the model hub."""
        expect_missing: tuple[str, ...] = ()
        """Keys (`*` allowed) of layers after the last scale that the weight file may lack."""
        scales: int = Field(default=4, ge=1, le=5)
        """Number of scales that are used, starting from the finest."""
        head_width: int = Field(default=64, ge=1, le=4_096)
        """Channels of each head."""
        head_rate: float = Field(default=3.0, gt=0.0, le=100.0)
        """Factor on the heads' learning rate; they must keep up with the generator."""
        augmentation: float = Field(default=0.5, ge=0.0, le=1.0)
        """Probability of each augmentation of the images shown to the discriminator."""
        told_from: float = Field(default=0.2, ge=0.0, le=1.0)
        """Fraction of the training at which conditioning on the class starts; 0: from the start."""
        told_by: float = Field(default=0.4, ge=0.0, le=1.0)
        """Fraction of the training at which conditioning on the class is complete."""

        @model_validator(mode="before")
        @classmethod
        def _packaged_backbone(cls, value: Any) -> Any:  # noqa: ANN401
            named = not isinstance(value, dict) or "backbone" in value
            if named or value.get("weights", PACKAGE) != PACKAGE or not packaged_file(PACKAGED):
                return value
            return {"backbone": PACKAGED, **value}

    def __init__(self, config: GeneratorConfig, size: int, num_classes: int = 1) -> None:
        super().__init__(config, size, num_classes)
        self.own = own_options(self.Options, config)
        self.sampler = ResidualGenerator(config.latent, config.width, size, num_classes)
        backbone = _backbone(self.own)
        channels: list[int] = backbone.feature_info.channels()
        for name in ("mean", "std"):
            told = torch.tensor(backbone.pretrained_cfg[name])
            self.register_buffer(f"backbone_{name}", rearrange(told, "c -> 1 c 1 1"))
        width = self.own.head_width
        # Fixed random mixing makes the heads use all channels (section 3.2).
        self.mixing = nn.ModuleList(nn.Conv2d(each, each // 2, 1, bias=False) for each in channels)
        for layer in self.mixing:
            nn.init.kaiming_normal_(layer.weight)  # type: ignore[arg-type]
        self.mixing.requires_grad_(False)
        heads = [Head(each // 2, width, num_classes) for each in channels]
        self.heads = nn.ModuleList([*heads, PixelHead(width // 2, num_classes)])
        head_rate = config.rate * self.own.head_rate
        self.optimizers = self.adam((0.0, 0.99), sampler=config.rate, heads=head_rate)
        # The backbone is not a submodule, so that its weights are not part of the family's state.
        self._backbone: list[nn.Module] = []

    def prepare(self) -> None:
        """Load the backbone's weights.

        Raises:
            DermaugError: They cannot be loaded, or a scale would depend on missing weights.
        """
        if not self._backbone:
            self._backbone.append(_pretrained(self.own))

    def prepare_step(self, progress: Progress) -> str:
        """Set the strength of conditioning, which rises from 0 to 1 between two points."""
        told = told_share(progress.fraction, self.own.told_from, self.own.told_by)
        for module in (self.sampler, *self.heads):
            module.get_buffer("conditioning").fill_(told)
        self._backbone_on(self.backbone_mean.device)  # a step must not wait for weights
        return "step"

    def step(
        self, images: Images, labels: Int[Tensor, " b"], random: Generator, progress: Progress
    ) -> dict[str, Tensor]:
        """One step of the heads, then one of the generator against them, on the same images."""
        fake_images = self.sampler(self.sampler.draw_latents(len(images), random), labels)
        with torch.no_grad():
            seen = self._look(images, random)
        made = self._look(fake_images, random)
        real = self._judge(seen, labels)
        fake = self._judge([maps.detach() for maps in made], labels)
        d_loss = len(self.heads) * hinge_discriminator_loss(real, fake)
        self.descend("heads", d_loss)

        # The generated images pass through the backbone once; their features serve both steps.
        self.heads.requires_grad_(False)
        g_loss = len(self.heads) * hinge_loss(real, self._judge(made, labels))
        self.descend("sampler", g_loss)
        self.heads.requires_grad_(True)
        return {
            "discriminator_loss": d_loss.detach(),
            "generator_loss": g_loss.detach(),
            "real_share": (real.detach() > 0.0).float().mean(),
            "fake_share": (fake.detach() > 0.0).float().mean(),
        }

    def realness(self, images: Images, labels: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Mean logit of the heads, without augmentation."""
        verdicts = self._judge(self._features(images), labels)
        return verdicts.reshape(len(self.heads), -1).mean(0)

    def _backbone_on(self, device: torch.device) -> nn.Module:
        self.prepare()
        backbone = self._backbone[0]
        # Looked at first: to walk through all layers takes as long as many a recorded step.
        on = next(backbone.parameters()).device
        return backbone if on == device else backbone.to(device)

    def _look(self, images: Images, random: Generator) -> list[Tensor]:
        return self._features(augment(images, random, self.own.augmentation))

    def _features(self, images: Images) -> list[Tensor]:
        """Mixed features at every scale, then the images themselves."""
        backbone = self._backbone_on(images.device)
        shown = (0.5 * (images + 1.0) - self.backbone_mean) / self.backbone_std
        scales = zip(self.mixing, backbone(shown), strict=True)
        return [*(mixing(maps) for mixing, maps in scales), images]

    def _judge(self, scales: list[Tensor], labels: Int[Tensor, " b"]) -> Float[Tensor, " heads_b"]:
        pairs = zip(self.heads, scales, strict=True)
        return torch.cat([head(maps, labels) for head, maps in pairs])


class Head(nn.Module):
    """Two convolutions on one scale, averaged over the plane, with a projection of the class.

    Spectral norm bounds the gradient of a head (arXiv:1802.05957); the class enters as in
    arXiv:1802.05637.

    Args:
        channels: Channels of the maps.
        width: Channels of the hidden layer.
        num_classes: Number of classes.
    """

    def __init__(self, channels: int, width: int, num_classes: int) -> None:
        super().__init__()
        self.first = spectral_norm(nn.Conv2d(channels, width, 3, padding=1))
        self.second = spectral_norm(nn.Conv2d(width, width, 3, padding=1))
        self.verdict = spectral_norm(nn.Conv2d(width, 1, 1))
        self.classes = nn.Embedding(num_classes, width)
        nn.init.normal_(self.classes.weight, 0.0, width**-0.5)
        self.conditioning: Tensor
        self.register_buffer("conditioning", torch.ones(()))

    def forward(self, maps: Tensor, labels: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Logits, high for real images."""
        inner = leaky_relu(self.second(leaky_relu(self.first(maps), SLOPE)), SLOPE)
        told = (inner.mean((2, 3)) * self.classes(labels)).sum(1)
        logits: Tensor = self.verdict(inner).mean((1, 2, 3)) + self.conditioning * told
        return logits


class PixelHead(Head):
    """A head on the pixels, after one strided convolution."""

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__(width, width, num_classes)
        self.stem = spectral_norm(nn.Conv2d(3, width, 4, 2, 1))

    def forward(self, maps: Tensor, labels: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Logits of images in [-1, 1]."""
        return super().forward(leaky_relu(self.stem(maps), SLOPE), labels)


def _backbone(own: Projected.Options, *, pretrained: bool = False, **origin: Any) -> Any:  # noqa: ANN401
    """The network of the finest scales; `origin` are options of timm that tell its weights."""
    scales = {"features_only": True, "out_indices": tuple(range(own.scales))}
    return build_timm(own.backbone, own.backbone_options | scales | origin, pretrained=pretrained)


def _pretrained(own: Projected.Options) -> nn.Module:
    """The backbone with its weights, frozen."""
    packaged = own.weights == PACKAGE or (not own.weights and packaged_file(own.backbone))
    if packaged or own.weights:
        features = _with_weights(own, packaged=bool(packaged))
    else:
        features = _backbone(own, pretrained=True)
    return suit_cpu(features.eval().requires_grad_(False))


def _with_weights(own: Projected.Options, *, packaged: bool) -> nn.Module:
    """The backbone with the weights of a package or file, none of them random at the scales in use.

    Raises:
        DermaugError: The weights cannot be loaded, or a scale would depend on missing ones.
    """
    whole = build_timm(own.backbone, own.backbone_options)
    origin = f"package weights of {own.backbone}" if packaged else own.weights
    given = packaged_weights(own.backbone, whole) if packaged else read_weights(Path(own.weights))
    missing = fit_weights(whole, given, origin, own.expect_missing)
    state = whole.state_dict()
    for key in missing:
        state[key].fill_(torch.nan)  # shows in every scale that depends on it
    # timm renames weights for features-only networks, whose modules have other names.
    features: nn.Module = _backbone(
        own, pretrained=True, pretrained_cfg_overlay={"state_dict": state}
    )
    with torch.inference_mode():
        scales = features.eval()(torch.zeros(1, 3, 64, 64))
    if not all(maps.isfinite().all() for maps in scales):
        raise DermaugError(
            f"{origin}: a scale of the discriminator depends on weights that are missing; use "
            "fewer scales",
            list(missing)[:20],
        )
    return features
