"""Faster computation of convolutions that are slow on CPUs in bfloat16.

oneDNN's bfloat16 kernels are made for large maps. Networks for small images have many layers of
two kinds that take several times as long as necessary:

- strided *depthwise* convolutions, whose backward pass has no fast kernel (64 maps of 32 px, batch
  64, one core: 62 ms instead of 3.6): computed in float32;
- convolutions on *small maps* with many channels (256 to 512 channels, 8x8 to 4x4 pixels, batch 64,
  two cores: 18 ms for the gradient of the weights instead of 3): computed as a product of matrices,
  as Chellapilla et al. 2006 unrolled them.
"""

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, autocast, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d, pad
from torch.nn.grad import conv2d_input

SMALL = 64
"""Largest number of places of a kernel on a map for which matrix products are considered."""
FOR_GRADIENT = 2**12
"""Number of weights per place from which the gradient of the weights is a matrix product."""
FOR_ALL = 2**16
"""Number of weights per place from which the other passes are matrix products as well."""
Context = Any
"""Context that torch passes from the forward to the backward pass."""
Maps = Float[Tensor, "b c h w"]
Weight = Float[Tensor, "o c k k"]


def suit_cpu(network: nn.Module) -> nn.Module:
    """Replace the computation of convolutions that are slow in bfloat16 under CPU autocast.

    Args:
        network: The network, changed in place; its parameters and their names stay the same. On
            other devices and in float32 its computation does not change.
    """
    for layer in network.modules():
        if way := _other_way(layer):
            layer.forward = MethodType(way, layer)
    return network


def _other_way(layer: nn.Module) -> Callable[..., Tensor] | None:
    """The replacement for a layer's forward pass; None keeps the original."""
    if type(layer) is nn.ConvTranspose2d and _is_plain(layer):
        return _transposed_by_product
    if type(layer) is nn.Conv2d and _is_plain(layer):
        return _by_product
    if isinstance(layer, nn.Conv2d) and _is_strided_depthwise(layer):
        return _in_float32
    return None


def _is_plain(layer: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    """Whether a layer is square, undilated, in one group, and padded by a number of zeros."""
    sides = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding, layer.dilation)
    return (
        all(isinstance(pair, tuple) and len(set(pair)) == 1 for pair in sides)
        and layer.dilation[0] == layer.groups == 1
        and layer.padding_mode == "zeros"
    )


def _is_strided_depthwise(layer: nn.Conv2d) -> bool:
    return 1 < layer.in_channels == layer.groups and max(layer.stride) > 1


def _in_float32(layer: nn.Conv2d, maps: Tensor) -> Tensor:
    """The original forward pass of the layer, outside CPU autocast."""
    if maps.device.type != "cpu":
        return type(layer).forward(layer, maps)
    with autocast("cpu", enabled=False):
        return type(layer).forward(layer, maps.float())


def _by_product(layer: nn.Conv2d, maps: Maps) -> Maps:
    """The forward pass of the layer, by a matrix product if this is faster."""
    kernel, step, edge = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    height, width = (_places(side, kernel, step, edge) for side in maps.shape[2:])
    if not _pays(layer.weight, height * width, maps.device):
        return nn.Conv2d.forward(layer, maps)
    seen = _Convolution.apply(maps.bfloat16(), layer.weight.bfloat16(), step, edge)
    return _biased(seen, layer.bias)


def _transposed_by_product(layer: nn.ConvTranspose2d, maps: Maps) -> Maps:
    """The same as `_by_product` for a transposed convolution."""
    if not _pays(layer.weight, maps.shape[2] * maps.shape[3], maps.device):
        return nn.ConvTranspose2d.forward(layer, maps)
    step, edge, extra = layer.stride[0], int(layer.padding[0]), layer.output_padding[0]
    drawn = _Transposed.apply(maps.bfloat16(), layer.weight.bfloat16(), step, edge, extra)
    return _biased(drawn, layer.bias)


def _biased(maps: Maps, bias: Tensor | None) -> Maps:
    return maps if bias is None else maps + bias.bfloat16()[:, None, None]


def _pays(weight: Tensor, places: int, device: torch.device) -> bool:
    """Whether the maps are small beside the weights, and autocast is on a CPU and in bfloat16."""
    return (
        places <= SMALL
        and weight.numel() >= FOR_GRADIENT * places
        and device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
    )


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Context, maps: Maps, weight: Weight, step: int, edge: int) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.step, ctx.edge = step, edge
        return _convolve(maps, weight, step, edge)

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, gradient: Maps) -> tuple[Tensor | None, ...]:
        maps, weight = ctx.saved_tensors
        step, edge = ctx.step, ctx.edge
        of_maps, of_weight = None, None
        if ctx.needs_input_grad[0]:
            of_maps = _spread(gradient, weight, step, edge, maps.shape[2:])
        if ctx.needs_input_grad[1]:
            of_weight = _weight_gradient(maps, gradient, weight.shape[-1], step, edge)
        return of_maps, of_weight, None, None


class _Transposed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Context, maps: Maps, weight: Weight, step: int, edge: int, extra: int
    ) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.step, ctx.edge = step, edge
        kernel = weight.shape[-1]
        sides = torch.Size((side - 1) * step - 2 * edge + kernel + extra for side in maps.shape[2:])
        return _spread(maps, weight, step, edge, sides)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Context, gradient: Maps
    ) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        maps, weight = ctx.saved_tensors
        step, edge = ctx.step, ctx.edge
        of_maps, of_weight = None, None
        if ctx.needs_input_grad[0]:
            of_maps = _convolve(gradient, weight, step, edge)
        if ctx.needs_input_grad[1]:
            of_weight = _weight_gradient(gradient, maps, weight.shape[-1], step, edge)
        return of_maps, of_weight, None, None, None


def _places(side: int, kernel: int, step: int, edge: int) -> int:
    """Number of places of a kernel along a side."""
    return (side + 2 * edge - kernel) // step + 1


def _convolve(maps: Maps, weight: Weight, step: int, edge: int) -> Maps:
    kernel = weight.shape[-1]
    height, width = (_places(side, kernel, step, edge) for side in maps.shape[2:])
    if weight.numel() < FOR_ALL * height * width:
        return conv2d(maps, weight, None, step, edge)
    seen = _patches(maps, kernel, step, edge) @ _matrix(weight).t()
    return rearrange(seen, "(b h w) o -> b o h w", h=height, w=width)


def _spread(seen: Maps, weight: Weight, step: int, edge: int, sides: torch.Size) -> Maps:
    """The transposed convolution, which adds the values of each place to its receptive field."""
    batch, _, height, width = seen.shape
    channels, kernel = weight.shape[1:3]
    if weight.numel() < FOR_ALL * height * width:
        size = (batch, channels, *sides)
        return conv2d_input(size, weight, seen, step, edge)  # type: ignore[no-any-return, no-untyped-call]
    parts = rearrange(
        _rows(seen) @ _matrix(weight),
        "(b h w) (i j c) -> i j b h w c",
        h=height,
        w=width,
        i=kernel,
        j=kernel,
    )
    # Summed in float32 like in oneDNN, including the edge added by padding.
    whole = seen.new_zeros(
        batch, sides[0] + 2 * edge, sides[1] + 2 * edge, channels, dtype=torch.float32
    )
    for i in range(kernel):
        for j in range(kernel):
            rows = slice(i, i + step * (height - 1) + 1, step)
            columns = slice(j, j + step * (width - 1) + 1, step)
            whole[:, rows, columns] += parts[i, j]
    inner = whole[:, edge : edge + sides[0], edge : edge + sides[1]]
    return rearrange(inner.to(seen.dtype), "b h w c -> b c h w")


def _weight_gradient(maps: Maps, seen: Maps, kernel: int, step: int, edge: int) -> Weight:
    product = _rows(seen).t() @ _patches(maps, kernel, step, edge)
    return rearrange(product, "o (i j c) -> o c i j", i=kernel, j=kernel)


def _patches(maps: Maps, kernel: int, step: int, edge: int) -> Float[Tensor, "places patch"]:
    """The patch of the maps at each place of the kernel."""
    padded = pad(rearrange(maps, "b c h w -> b h w c"), (0, 0, edge, edge, edge, edge))
    windows = padded.unfold(1, kernel, step).unfold(2, kernel, step)
    return rearrange(windows, "b h w c i j -> (b h w) (i j c)")


def _rows(maps: Maps) -> Float[Tensor, "places c"]:
    return rearrange(maps, "b c h w -> (b h w) c")


def _matrix(weight: Weight) -> Float[Tensor, "o patch"]:
    return rearrange(weight, "o c i j -> o (i j c)")
