"""Feature extractors: any timm backbone with weights, or Inception."""

import importlib.util
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from dermaug.classifiers.model import pooled_features
from dermaug.errors import DermaugError
from dermaug.extras import to_install
from dermaug.training.timm_networks import build_timm
from dermaug.training.weight_packages import packaged_file
from dermaug.training.weights import load_packaged, load_weights, read_weights

SIDE = 128
"""Side to which images are scaled, unless the network accepts one side only."""
INCEPTION_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
_INCEPTION_HOST = ("github.com", 443)


class BackboneFeatures(nn.Module):
    """A timm network that returns its pooled features, or those of named layers.

    Args:
        network: The network; its `pretrained_cfg` contains mean and deviation of its inputs.
        layers: Names of modules whose outputs are averaged over the plane and concatenated;
            none takes the layer before the head.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, layers: Sequence[str] = ()) -> None:
        super().__init__()
        self.network = network
        self.layers = tuple(layers)
        told: Any = network.pretrained_cfg
        for name in ("mean", "std"):
            self.register_buffer(name, rearrange(torch.tensor(told[name]), "c -> 1 c 1 1"))
        self.side = int(told["input_size"][-1]) if told.get("fixed_input_size") else SIDE
        self._seen: dict[str, Tensor] = {}
        for name in self.layers:
            _module(network, name).register_forward_hook(partial(self._note, name))

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Features of images in [0, 1]."""
        scaled = functional.interpolate(
            images, size=(self.side, self.side), mode="bilinear", antialias=True
        )
        last = pooled_features(self.network, (scaled - self.mean) / self.std)
        if not self.layers:
            return last
        planes = [self._seen.pop(name) for name in self.layers]
        return torch.cat([plane.flatten(2).mean(2) for plane in planes], dim=1)

    def _note(self, name: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._seen[name] = output


class InceptionFeatures(nn.Module):
    """The 2,048 pooled features of the Inception network behind published FID and KID."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2048"]:
        """Features of images in [0, 1]."""
        features: Tensor = self.network((images * 255.0).round().to(torch.uint8))[0]
        return features


def load_backbone(
    name: str,
    weights: Path | None,
    *,
    options: Mapping[str, bool | int | float | str] | None = None,
    layers: Sequence[str] = (),
    expect_missing: Sequence[str] = (),
) -> BackboneFeatures:
    """Load a timm network with weights as a feature extractor.

    Args:
        name: Name of a timm model.
        weights: A local file with timm's key names; None takes those of an installed package or, if
            none has them, of the model hub.
        options: Further arguments of `timm.create_model`.
        layers: As for `BackboneFeatures`.
        expect_missing: Keys (`*` allowed) that the file may lack; then `layers` must name layers
            that do not depend on them.

    Raises:
        DermaugError: The model, layer or file does not exist, the hub cannot be reached, or the
            features would depend on weights that are missing.
    """
    packaged = weights is None and packaged_file(name) is not None
    from_hub = weights is None and not packaged
    network = build_timm(name, options or {}, pretrained=from_hub)
    backbone = BackboneFeatures(network, layers).eval()
    if packaged:
        load_packaged(network, name)
    if weights is not None:
        missing = load_weights(network, weights, expect_missing)
        _refuse_random(backbone, missing)
    return backbone.requires_grad_(False)


def load_inception(weights: Path | None = None) -> InceptionFeatures:
    """Load Inception from torch-fidelity, which the extra `fidelity` installs.

    Args:
        weights: Its weight file; None takes the one that torch-fidelity caches or downloads.

    Raises:
        DermaugError: The extra is not installed, or the weights are neither found nor downloaded.
    """
    if importlib.util.find_spec("torch_fidelity") is None:
        raise DermaugError(
            "Inception requires the extra fidelity, which is not installed; install it with "
            f"{to_install('fidelity')}, or use the features of a classifier (--model) or a "
            "backbone (--backbone)"
        )
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = _inception_file() if weights is None else weights
    # torch-fidelity unpickles the file, so first make sure that it contains tensors only.
    read_weights(path)
    network = FeatureExtractorInceptionV3("inception", ["2048"], str(path))
    return InceptionFeatures(network).eval()


def _inception_file() -> Path:
    """The weight file in torch's cache, downloaded if possible."""
    kept = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_URL.rsplit("/", 1)[1]
    if kept.exists():
        return kept
    try:
        socket.create_connection(_INCEPTION_HOST, timeout=3.0).close()
        kept.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(INCEPTION_URL, str(kept), "6726825d", progress=False)
    except (OSError, RuntimeError) as error:
        raise DermaugError(
            f"the weights of Inception are not on this machine and cannot be downloaded ({error})",
            [
                f"download {INCEPTION_URL} on a machine with network access",
                f"then copy it to {kept}, or pass it with --weights",
            ],
        ) from None
    return kept


def _refuse_random(backbone: BackboneFeatures, missing: Sequence[str]) -> None:
    """Raise if a feature depends on a weight that is missing from the file."""
    random = {
        key: value for key, value in backbone.network.named_parameters() if key in set(missing)
    }
    if not random:
        return
    features = backbone(torch.full((1, 3, backbone.side, backbone.side), 0.5))
    slopes = torch.autograd.grad(features.sum(), list(random.values()), allow_unused=True)
    reached = [key for key, slope in zip(random, slopes, strict=True) if slope is not None]
    if reached:
        raise DermaugError(
            "the features would depend on weights that are missing from the file and hence random; "
            "select complete layers with --layer",
            reached[:20],
        )


def _module(network: nn.Module, name: str) -> nn.Module:
    try:
        return network.get_submodule(name)
    except AttributeError:
        known = [each for each, _ in network.named_modules() if each.count(".") <= 1 and each]
        raise DermaugError(
            f"the backbone has no layer {name!r}; expected one of its modules",
            [f"among them: {', '.join(known[:30])}"],
        ) from None
