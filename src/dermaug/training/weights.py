"""Initial weights of a timm network, from the hub or a local file with timm's key names."""

import fnmatch
import pickle
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.files import refuse_special
from dermaug.training.weight_packages import packaged_weights, ways_to_weights

PACKAGE = "package"
"""The value of `weights` that stands for the installed package with the weights of the network."""
HUB = ("huggingface.co", 443)


def load_weights(network: nn.Module, path: Path, expect_missing: Sequence[str]) -> tuple[str, ...]:
    """Load the weights of a file into a network: `fit_weights` of `read_weights`."""
    return fit_weights(network, read_weights(path), str(path), expect_missing)


def load_packaged(network: nn.Module, model: str) -> None:
    """Load the weights that an installed package has for a timm network.

    Raises:
        DermaugError: Raised by `packaged_weights`.
    """
    fit_weights(network, packaged_weights(model, network), f"package weights of {model}", ())


def fit_weights(
    network: nn.Module, given: Mapping[str, Tensor], origin: str, expect_missing: Sequence[str]
) -> tuple[str, ...]:
    """Load weights into a network, print missing keys, and refuse unexpected differences.

    Args:
        network: A timm network; its head may always be missing or of another shape.
        given: Weights by timm's key names.
        origin: Where they come from, for messages.
        expect_missing: Keys (`*` allowed) of the network that may be missing.

    Returns:
        Keys with random initial values, because the weights lack them.

    Raises:
        DermaugError: Keys differ that are not in `expect_missing`.
    """
    wanted = network.state_dict()
    head = tuple(f"{name}.*" for name in head_names(network))
    fitting = {
        key: value
        for key, value in given.items()
        if key in wanted and wanted[key].shape == value.shape
    }
    missing = [
        key for key in wanted if key not in fitting and not key.endswith("num_batches_tracked")
    ]
    unused = [key for key in given if key not in fitting]
    surprises = [key for key in missing if not _matches(key, (*head, *expect_missing))]
    surprises += [key for key in unused if not _matches(key, head)]
    if surprises:
        raise DermaugError(
            f"{origin}: {len(surprises)} keys do not match the network; name those that may be "
            "missing in expect_missing, or pass the file for this model",
            [_mismatch(key, wanted, given) for key in surprises[:20]],
        )
    network.load_state_dict(fitting, strict=False)
    console.print(
        f"{origin}: {len(fitting)} of {len(wanted)} tensors loaded; these start at random: "
        f"{', '.join(missing) or 'none'}"
    )
    return tuple(missing)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a weight file by key; no code in it is executed."""
    refuse_special(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DermaugError(f"no weight file at {path}; check weights") from None
    except pickle.UnpicklingError:
        raise DermaugError(
            f"{path}: not a readable weight file of plain tensors: it contains other objects or "
            "code, which is never executed; save it as .safetensors"
        ) from None
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError, EOFError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise DermaugError(
            f"{path}: not a readable weight file of plain tensors: {first}"
        ) from None
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise DermaugError(f"{path}: expected tensors by key, found something else")
    return state


def in_hub_cache(hub_id: str) -> bool:
    """Whether the local cache of the model hub has these weights; an empty name has none."""
    if not hub_id:
        return False
    from huggingface_hub import try_to_load_from_cache

    names = ("model.safetensors", "pytorch_model.bin")
    return any(isinstance(try_to_load_from_cache(hub_id, name), str) for name in names)


def require_hub(model: str, hub_id: str) -> None:
    """Raise immediately, without minutes of retries, if the hub's weights are not available.

    Raises:
        DermaugError: Neither the local hub cache nor the network has the weights.
    """
    if in_hub_cache(hub_id):
        return
    try:
        socket.create_connection(HUB, timeout=3.0).close()
    except OSError:
        raise DermaugError(
            f"pretrained weights of {model} are not on this machine and {HUB[0]} cannot be reached",
            [
                "weights can come from three places (from the first two with pretrained = false):",
                *ways_to_weights(model),
                f"the file is https://{HUB[0]}/{hub_id or 'timm'} (model.safetensors), downloaded "
                "on a machine with network access",
            ],
        ) from None


def heads_of(network: nn.Module) -> tuple[nn.Module, ...]:
    """The classification head of a timm network, or its heads if it has several."""
    head = network.get_classifier()  # type: ignore[operator]
    return head if isinstance(head, tuple) else (head,)


def head_names(network: nn.Module) -> list[str]:
    """Names of a network's classification head."""
    heads = heads_of(network)
    return [name for name, module in network.named_modules() if any(module is h for h in heads)]


def _matches(key: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)


def _mismatch(key: str, wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    if key not in given:
        return f"{key}: missing in the file"
    if key not in wanted:
        return f"{key}: not in the network"
    return f"{key}: {tuple(given[key].shape)} in the file, {tuple(wanted[key].shape)} expected"
