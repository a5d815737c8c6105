"""Strided depthwise convolutions in float32 on CPUs, whatever the rest is computed in.

oneDNN has no fast backward pass for them in bfloat16: measured on an AMX machine at 64 maps a side
of 32 px, 62 ms instead of 3.6, which is more than bfloat16 gains elsewhere in a MobileNet.
"""

from typing import cast

from torch import Tensor, autocast, nn


class _InFloat32(nn.Conv2d):
    def forward(self, maps: Tensor) -> Tensor:
        if maps.device.type != "cpu":
            return super().forward(maps)
        with autocast("cpu", enabled=False):
            return super().forward(maps.float())


def spare_strided_depthwise(network: nn.Module) -> nn.Module:
    """Have a network's strided depthwise convolutions computed in float32 under CPU autocast.

    Args:
        network: Changed in place; its parameters and their names stay as they are.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and 1 < layer.in_channels == layer.groups:
            kind = type(layer)
            if max(layer.stride) > 1 and not isinstance(layer, _InFloat32):
                # A type on top of the layer's own, which may pad in a way of its own (timm's).
                layer.__class__ = cast(
                    type[nn.Conv2d], type(f"{kind.__name__}InFloat32", (_InFloat32, kind), {})
                )
    return network
