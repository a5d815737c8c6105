from copy import deepcopy

import pytest
import timm
import torch
from torch import nn

from dermaug.training.depthwise import spare_strided_depthwise


@pytest.mark.parametrize("options", [{}, {"pad_type": "same"}])
def test_a_network_gives_the_same_with_the_same_names(options: dict[str, str]) -> None:
    network = timm.create_model("mobilenetv1_100", **options).eval()
    spared = spare_strided_depthwise(deepcopy(network))
    images = torch.rand(2, 3, 33, 33)
    assert list(spared.state_dict()) == list(network.state_dict())
    torch.testing.assert_close(spared(images), network(images))


def test_only_strided_depthwise_convolutions_leave_bfloat16() -> None:
    def depthwise(stride: int) -> nn.Module:
        return spare_strided_depthwise(nn.Sequential(nn.Conv2d(4, 4, 3, stride, groups=4)))

    maps = torch.rand(1, 4, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert depthwise(1)(maps).dtype is torch.bfloat16
        assert depthwise(2)(maps.bfloat16()).dtype is torch.float32
        assert spare_strided_depthwise(nn.Conv2d(4, 8, 3, 2))(maps).dtype is torch.bfloat16


def test_a_copy_computes_with_its_own_weights() -> None:
    layer = spare_strided_depthwise(nn.Conv2d(4, 4, 3, 2, groups=4, bias=False))
    copy = deepcopy(layer)
    nn.init.zeros_(layer.weight)
    assert copy(torch.rand(1, 4, 8, 8)).abs().sum() > 0
