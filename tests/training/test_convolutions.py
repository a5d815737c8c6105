from copy import deepcopy

import pytest
import timm
import torch
from torch import Tensor, nn

from dermaug.training.convolutions import suit_cpu


@pytest.mark.parametrize("options", [{}, {"pad_type": "same"}])
def test_a_network_gives_the_same_with_the_same_names(options: dict[str, str]) -> None:
    network = timm.create_model("mobilenetv1_100", **options).eval()
    suited = suit_cpu(deepcopy(network))
    images = torch.rand(2, 3, 33, 33)
    assert list(suited.state_dict()) == list(network.state_dict())
    torch.testing.assert_close(suited(images), network(images))


def test_only_strided_depthwise_convolutions_leave_bfloat16() -> None:
    def depthwise(stride: int) -> nn.Module:
        return suit_cpu(nn.Sequential(nn.Conv2d(4, 4, 3, stride, groups=4)))

    maps = torch.rand(1, 4, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert depthwise(1)(maps).dtype is torch.bfloat16
        assert depthwise(2)(maps.bfloat16()).dtype is torch.float32
        assert suit_cpu(nn.Conv2d(4, 8, 3, 2))(maps).dtype is torch.bfloat16


def test_a_copy_computes_with_its_own_weights() -> None:
    layer = suit_cpu(nn.Conv2d(4, 4, 3, 2, groups=4, bias=False))
    copy = deepcopy(layer)
    nn.init.zeros_(layer.weight)
    assert copy(torch.rand(1, 4, 8, 8)).abs().sum() > 0


LAYERS = {
    "many weights, few places": (nn.Conv2d(256, 512, 4, 2, 1), 8),
    "only the gradient": (nn.Conv2d(96, 256, 3, padding=1, bias=False), 7),
    "pointwise": (nn.Conv2d(512, 512, 1), 2),
    "one place": (nn.Conv2d(256, 20, 4), 4),
    "a stride that leaves a rest": (nn.Conv2d(160, 256, 3, 2, 1), 4),
    "transposed": (nn.ConvTranspose2d(512, 256, 4, 2, 1, bias=False), 4),
    "transposed, one place": (nn.ConvTranspose2d(100, 256, 4), 1),
    "transposed, five by five": (nn.ConvTranspose2d(256, 256, 5, 2, 2, 1), 4),
    "transposed, only the gradient": (nn.ConvTranspose2d(96, 160, 4, 2, 1), 7),
}


@pytest.mark.parametrize("key", LAYERS)
def test_products_give_what_the_layer_gives(key: str) -> None:
    layer, side = LAYERS[key]
    torch.manual_seed(0)
    maps = torch.randn(3, layer.in_channels, side, side).to(memory_format=torch.channels_last)
    expected = _passes(layer, maps)
    suited = suit_cpu(deepcopy(layer))
    assert "forward" in vars(suited)
    with torch.autocast("cpu", torch.bfloat16):
        found = _passes(suited, maps)
    assert found[0].dtype is torch.bfloat16
    assert {"_ConvolutionBackward", "_TransposedBackward"} & set(_ways(found[0]))
    for one, other in zip(found, expected, strict=True):
        error = (one.float() - other).norm() / other.norm()
        assert error < 0.01, error


def test_in_float32_nothing_changes() -> None:
    for layer, side in LAYERS.values():
        maps = torch.randn(2, layer.in_channels, side, side)
        suited = suit_cpu(deepcopy(layer))
        for one, other in zip(_passes(suited, maps), _passes(layer, maps), strict=True):
            assert torch.equal(one, other)


def test_what_is_not_plain_is_left_alone() -> None:
    for layer in (
        nn.Conv2d(8, 8, 3, padding="same"),
        nn.Conv2d(8, 8, (1, 3)),
        nn.Conv2d(8, 8, 3, dilation=2),
        nn.Conv2d(8, 8, 3, groups=2),
        nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
    ):
        assert "forward" not in vars(suit_cpu(layer))


def test_no_gradient_is_computed_that_nobody_asks_for() -> None:
    layer = suit_cpu(nn.Conv2d(512, 512, 3, padding=1)).requires_grad_(False)
    maps = torch.randn(2, 512, 2, 2, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        layer(maps).float().square().sum().backward()
    assert layer.weight.grad is None
    assert maps.grad is not None
    assert maps.grad.norm() > 0


def _ways(seen: Tensor) -> list[str]:
    """What the output, or the output before its bias is added, was computed by."""
    last = seen.grad_fn
    assert last is not None
    return [type(way).__name__ for way in (last, *(way for way, _ in last.next_functions))]


def _passes(layer: nn.Module, maps: Tensor) -> list[Tensor]:
    """The output, and the gradients of input and parameters, of some loss."""
    given = maps.clone().requires_grad_()
    seen = layer(given)
    towards = torch.linspace(-1, 1, seen.numel()).reshape(seen.shape)
    loss = (seen.float() * towards).sum()
    return [seen, *torch.autograd.grad(loss, [given, *layer.parameters()])]
