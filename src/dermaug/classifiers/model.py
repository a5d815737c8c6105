"""A classifier: a network with its own normalisation, for images in [0, 1]."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from dermaug.classifiers.ensemble import Ensemble, networks_of
from dermaug.classifiers.fridadar import FridAdar
from dermaug.config import ClassifierConfig, DataConfig
from dermaug.data.decoding import Crop
from dermaug.errors import DermaugError
from dermaug.files import expanded
from dermaug.training.checkpoint import expecting, load_checkpoint, save_checkpoint, typed
from dermaug.training.timm_networks import build_timm
from dermaug.training.weight_packages import packaged_file
from dermaug.training.weights import PACKAGE, head_names, load_packaged, load_weights

OWN = "fridadar"


@dataclass(frozen=True)
class ClassifierSpec:
    """Everything needed to rebuild the network before its weights are loaded.

    Args:
        model: `fridadar` or a timm name.
        classes: Labels in the order of the outputs.
        size: Side of the images in pixels.
        options: Further arguments of `timm.create_model`.
        dropout: Dropout before the head; None keeps the default of the model.
        views: Number of orientations of an image over which probabilities are averaged.
        members: Number of networks whose probabilities are averaged.
        crop: `centre` or `lesion`, as in `DataConfig`: how training images were cropped.
        margin: Skin around the lesion, as in `DataConfig`.
    """

    model: str
    classes: tuple[str, ...]
    size: int
    options: Mapping[str, bool | int | float | str]
    dropout: float | None
    views: int = 1
    members: int = 1
    crop: Crop = "centre"
    margin: float = 0.25

    @classmethod
    def of(
        cls,
        config: ClassifierConfig,
        classes: tuple[str, ...],
        size: int,
        crop: Crop = "centre",
        margin: float = 0.25,
    ) -> Self:
        """The specification for a configuration and the crop of its images."""
        network = (config.model, classes, size, config.options, config.dropout)
        return cls(*network, config.views, config.members, crop, margin)


class Classifier(nn.Module):
    """A network with a normalisation of its inputs.

    Args:
        mean: Mean that is subtracted from images in [0, 1], one value per channel.
        std: Standard deviation by which they are divided, one value per channel.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", rearrange(torch.tensor(mean), "c -> 1 c 1 1"))
        self.register_buffer("std", rearrange(torch.tensor(std), "c -> 1 c 1 1"))

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes"]:
        """Logits of images in [0, 1]."""
        logits: Tensor = self.network((images - self.mean) / self.std)
        return logits

    def members(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "k b classes"]:
        """Logits of each network of an ensemble, or of the only one, for images in [0, 1]."""
        normalised = (images - self.mean) / self.std
        return torch.stack([network(normalised) for network in networks_of(self.network)])

    def features(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """Features of images in [0, 1]: outputs of the last layer before the head."""
        return pooled_features(self.network, (images - self.mean) / self.std)

    @property
    def head(self) -> nn.ModuleList:
        """The classification head (some networks have two)."""
        return nn.ModuleList(self.network.get_submodule(name) for name in head_names(self.network))


def pooled_features(network: nn.Module, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
    """Pooled outputs of the last layer before the head of a network, for normalised images.

    Those of the networks of an ensemble come one after the other.
    """
    networks: list[Any] = networks_of(network)
    return torch.cat(
        [each.forward_head(each.forward_features(images), pre_logits=True) for each in networks], 1
    )


def build_classifier(
    config: ClassifierConfig, spec: ClassifierSpec, mean: tuple[float, ...], std: tuple[float, ...]
) -> Classifier:
    """Build a classifier at the start of its training.

    Args:
        config: Configuration with the origin of its initial weights.
        spec: Specification of the network.
        mean: Channel means of the training split, used if the network has none of its own.
        std: Channel standard deviations of the training split, used in the same case.
    """
    packaged = config.pretrained and packaged_file(config.model) is not None
    network = _network(spec, pretrained=config.pretrained and not packaged)
    for member in networks_of(network):
        if packaged or config.weights == PACKAGE:
            load_packaged(member, config.model)
        elif config.weights:
            load_weights(member, expanded(config.weights, "weights"), config.expect_missing)
    if config.pretrained or config.weights:
        own: Any = network.pretrained_cfg
        mean, std = tuple(own["mean"]), tuple(own["std"])
    return Classifier(network, mean, std)


def save_classifier(path: Path, classifier: Classifier, spec: ClassifierSpec) -> str:
    """Write a classifier with its specification as one checkpoint, and return its digest."""
    weights = classifier.state_dict()
    return save_checkpoint(path, {"kind": "classifier", "spec": asdict(spec), "weights": weights})


def load_classifier(path: Path | str) -> tuple[Classifier, ClassifierSpec]:
    """Read a classifier written by `save_classifier`.

    Raises:
        DermaugError: The file is not a complete checkpoint of a classifier.
    """
    path = Path(path)
    state = load_checkpoint(path)
    if state.get("kind") != "classifier":
        raise DermaugError(f"{path}: not a classifier checkpoint")
    with expecting(path, "a classifier"):
        described: dict[str, Any] = state["spec"]
        DataConfig(size=described["size"])  # within bounds, and so are these:
        bounded = {"options": described["options"], "views": described["views"]}
        ClassifierConfig(**bounded, members=described.get("members", 1))
        # Without a record of the crop, the checkpoint must not be applied to central squares.
        required = {"classes": tuple(described["classes"]), "crop": described["crop"]}
        spec = typed(ClassifierSpec(**(described | required)))
        channels = state["weights"]["mean"].shape[1]
        classifier = Classifier(_network(spec), (0.0,) * channels, (1.0,) * channels)
        classifier.load_state_dict(state["weights"])
    return classifier.eval(), spec


def _network(spec: ClassifierSpec, *, pretrained: bool = False) -> nn.Module:
    networks = [_member(spec, pretrained=pretrained) for _ in range(spec.members)]
    return Ensemble(networks) if spec.members > 1 else networks[0]


def _member(spec: ClassifierSpec, *, pretrained: bool) -> nn.Module:
    num_classes = len(spec.classes)
    if spec.model == OWN:
        if pretrained or spec.options:
            raise DermaugError(
                "fridadar has no pretrained weights and no options; it is implemented in dermaug"
            )
        dropout = 0.5 if spec.dropout is None else spec.dropout
        return FridAdar(num_classes=num_classes, size=spec.size, dropout=dropout)
    dropout_rate = {} if spec.dropout is None else {"drop_rate": spec.dropout}
    options: dict[str, Any] = {**spec.options, **dropout_rate, "num_classes": num_classes}
    return build_timm(spec.model, options, pretrained=pretrained)
