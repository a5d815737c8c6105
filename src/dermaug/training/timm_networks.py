"""Networks of timm by name; timm, whose import takes a second, is loaded when one is needed."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from dermaug.errors import DermaugError
from dermaug.training.weights import require_hub


def build_timm(model: str, options: Mapping[str, Any], *, pretrained: bool = False) -> nn.Module:
    """Build a network of timm.

    Args:
        model: Name of the network.
        options: Further arguments of `timm.create_model`.
        pretrained: Whether it starts from the weights of the model hub, or of the option
            `pretrained_cfg_overlay`.

    Raises:
        DermaugError: There is no network of this name, it cannot be built with these options, or
            its weights are not on this machine and the hub cannot be reached.
    """
    import timm

    if model.split(".")[0] not in timm.list_models():
        close = timm.list_models(f"*{model.split('.')[0][:6]}*")[:5]
        raise DermaugError(
            f"unknown model {model!r}: expected a timm model (or, as a classifier, fridadar)",
            [f"similar names: {', '.join(close)}"] if close else [],
        )
    if pretrained and "pretrained_cfg_overlay" not in options:
        require_hub(model, hub_id(model))
    try:
        return timm.create_model(model, pretrained=pretrained, **options)
    except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise DermaugError(f"timm cannot build {model} with {dict(options)}: {error}") from None


def hub_id(model: str) -> str:
    """Name of a network's weights on the model hub; empty if there are none."""
    import timm

    told = timm.get_pretrained_cfg(model)
    return (told.hf_hub_id or "") if told else ""
