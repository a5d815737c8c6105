import pytest
import torch
from torch import Generator, nn

from dermaug.errors import DermaugError
from dermaug.generators.unet import Attention, ToldBlock, UNet, normalised, sides_of


def shaken(network: nn.Module) -> nn.Module:
    """Layers that start with nothing to say, made to speak."""
    random = Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=random)
    return network


@pytest.mark.parametrize(
    ("size", "patch", "sides"),
    [
        (16, 2, [8]),
        (28, 2, [14, 7]),
        (48, 2, [24, 12, 6]),
        (64, 2, [32, 16, 8]),
        (64, 1, [64, 32, 16, 8]),
        (128, 4, [32, 16, 8]),
    ],
)
def test_sides_and_shapes(size: int, patch: int, sides: list[int]) -> None:
    assert sides_of(size, patch) == sides
    network = shaken(UNet(4, size, 3, patch))
    velocity = network(torch.randn(2, 3, size, size), torch.rand(2), torch.tensor([0, 3]))
    assert velocity.shape == (2, 3, size, size)


@pytest.mark.parametrize(("size", "patch"), [(31, 2), (36, 2), (44, 2), (30, 4), (16, 4)])
def test_sizes_that_cannot_be_halved(size: int, patch: int) -> None:
    if (size, patch) == (16, 4):
        assert sides_of(size, patch) == [4]
        return
    with pytest.raises(DermaugError, match="flow needs a size"):
        sides_of(size, patch)


def test_it_starts_with_nothing_to_say_and_then_listens_to_time_and_class() -> None:
    network = UNet(8, 32, 2, 2)
    images = torch.randn(1, 3, 32, 32, generator=Generator().manual_seed(0))
    time, label = torch.tensor([0.3]), torch.tensor([0])
    assert network(images, time, label).abs().max() == 0.0
    shaken(network)
    found = network(images, time, label)
    assert (network(images, torch.tensor([0.4]), label) - found).abs().max() > 1e-3
    assert (network(images, time, torch.tensor([1])) - found).abs().max() > 1e-3


def test_every_pixel_can_be_told_of_every_other() -> None:
    """Attention at the bottom: the corner's velocity depends on the opposite corner."""
    network = shaken(UNet(8, 32, 2, 2))
    images = torch.randn(1, 3, 32, 32, generator=Generator().manual_seed(0), requires_grad=True)
    network(images, torch.tensor([0.5]), torch.tensor([0]))[0, :, 0, 0].sum().backward()
    assert images.grad is not None
    assert (images.grad[0, :, -4:, -4:].abs() > 0).all()


def test_a_block_starts_as_the_identity() -> None:
    maps = torch.randn(2, 8, 4, 4)
    torch.testing.assert_close(ToldBlock(8, 8, 16)(maps, torch.randn(2, 16)), maps)
    torch.testing.assert_close(Attention(8)(maps), maps)


def test_attention_is_softmax_of_scaled_products() -> None:
    attend = shaken(Attention(4))
    maps = torch.randn(1, 4, 3, 5, generator=Generator().manual_seed(0))
    asked = nn.functional.conv2d(normalised(maps), attend.ask.weight, attend.ask.bias)
    query, key, value = asked.flatten(2)[0].reshape(3, 4, 15)
    weights = (query.T @ key / 4**0.5).softmax(1)
    seen = (value @ weights.T).reshape(1, 4, 3, 5)
    torch.testing.assert_close(attend(maps), maps + attend.answer(seen))
