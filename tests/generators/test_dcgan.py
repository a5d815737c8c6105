import pytest
import torch
from torch import Generator, nn

from dermaug.config import GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.dcgan import Dcgan
from dermaug.generators.family import Progress
from dermaug.generators.objectives import discriminator_loss, nonsaturating_loss


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("size", [28, 32, 48, 64, 96, 128, 256])
def test_generator_and_discriminator_mirror_each_other(size: int, kernel: int) -> None:
    family = Dcgan(GeneratorConfig(width=4, options={"kernel": kernel}), size)
    random = Generator().manual_seed(0)
    images = family.sampler(family.sampler.draw_latents(2, random), torch.zeros(2))
    assert images.shape == (2, 3, size, size)
    assert images.abs().max() <= 1.0
    assert family.discriminator(images).shape == (2,)


def test_published_widths_at_64_pixels() -> None:
    """4x4x1024 -> 8x8x512 -> 16x16x256 -> 32x32x128 -> 64x64x3 (Radford et al., figure 1)."""
    family = Dcgan(GeneratorConfig(width=128), 64)
    kinds = nn.ConvTranspose2d
    widths = [layer.out_channels for layer in family.sampler.layers if isinstance(layer, kinds)]
    assert widths == [1024, 512, 256, 128, 3]


@pytest.mark.parametrize("size", [31, 36, 72])
def test_sizes_that_do_not_double(size: int) -> None:
    with pytest.raises(DermaugError, match="times a power of two"):
        Dcgan(GeneratorConfig(), size)


def test_weights_start_as_published() -> None:
    torch.manual_seed(0)
    family = Dcgan(GeneratorConfig(width=32), 64)
    for module in family.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.weight.numel() > 10_000:
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert module.weight.mean().item() == pytest.approx(0.0, abs=0.001)


def test_losses_agree_with_binary_cross_entropy() -> None:
    real, fake = torch.randn(2, 50, generator=Generator().manual_seed(0))
    reference = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(50), torch.zeros(50)
    torch.testing.assert_close(
        discriminator_loss(real, fake), reference(real, ones) + reference(fake, zeros)
    )
    torch.testing.assert_close(nonsaturating_loss(real, fake), reference(fake, ones))


def test_step_is_the_textbook_one() -> None:
    """One step, by the family and written out by hand, ends in the same weights."""
    torch.manual_seed(0)
    config = GeneratorConfig(width=4)
    ours, textbook = (build_family(config, 32) for _ in range(2))
    textbook.load_state_dict(ours.state_dict())
    images, labels = torch.rand(8, 3, 32, 32) * 2 - 1, torch.zeros(8, dtype=torch.long)
    ours.step(images, labels, Generator().manual_seed(1), Progress(0, 1))

    latents = textbook.sampler.draw_latents(8, Generator().manual_seed(1))
    loss = nn.BCEWithLogitsLoss()
    g_adam = torch.optim.Adam(textbook.sampler.parameters(), 2e-4, (0.5, 0.999))
    d_adam = torch.optim.Adam(textbook.discriminator.parameters(), 2e-4, (0.5, 0.999))
    fake = textbook.sampler(latents, labels)
    d_adam.zero_grad()
    loss(textbook.discriminator(images), torch.ones(8)).backward()
    loss(textbook.discriminator(fake.detach()), torch.zeros(8)).backward()
    d_adam.step()
    g_adam.zero_grad()
    loss(textbook.discriminator(fake), torch.ones(8)).backward()
    g_adam.step()
    for key, value in textbook.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, rtol=1e-3, atol=1e-4)


def test_unknown_family_names_those_there_are() -> None:
    with pytest.raises(
        DermaugError, match="unknown generator family 'stylegan'; expected one of dcgan"
    ):
        build_family(GeneratorConfig(family="stylegan"), 64)
