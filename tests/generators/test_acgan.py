import pytest
import torch
from torch import Generator, nn

from dermaug.config import GeneratorConfig
from dermaug.generators.acgan import Acgan, unrecorded_statistics
from dermaug.generators.family import Progress

CONFIG = GeneratorConfig(family="acgan", width=4, latent=10)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_heads_and_shapes(size: int) -> None:
    family = Acgan(CONFIG, size, 3)
    latents = family.sampler.draw_latents(4, Generator().manual_seed(0))
    assert latents.shape == (4, 10)
    assert latents.abs().max() <= 1.0
    labels = torch.tensor([0, 1, 2, 0])
    images = family.sampler(latents, labels)
    assert images.shape == (4, 3, size, size)
    assert family.realness(images, labels).shape == (4,)
    assert family.class_logits(images).shape == (4, 3)


@pytest.mark.parametrize("joined", ["product", "concatenated"])
def test_class_and_latent_reach_the_image(joined: str) -> None:
    config = CONFIG.model_copy(update={"options": {"joined": joined}})
    sampler = Acgan(config, 32, 2).sampler
    latents = sampler.draw_latents(4, Generator().manual_seed(0))
    images = sampler(latents, torch.zeros(4, dtype=torch.long))
    for other in (
        sampler(latents, torch.tensor([0, 1, 0, 1])),
        sampler(latents.flip(0), torch.zeros(4, dtype=torch.long)),
    ):
        assert (images - other).abs().max() > 0.1 * images.abs().max()


def test_step_is_the_one_of_the_paper() -> None:
    """L_S + L_C ascended by the discriminator, L_C - L_S by the generator, written out by hand."""
    torch.manual_seed(0)
    ours, textbook = Acgan(CONFIG, 32, 3), Acgan(CONFIG, 32, 3)
    textbook.load_state_dict(ours.state_dict())
    images, labels = torch.rand(9, 3, 32, 32) * 2 - 1, torch.arange(9) % 3
    ours.step(images, labels, Generator().manual_seed(1), Progress(0, 1))

    latents = textbook.sampler.draw_latents(9, Generator().manual_seed(1))
    source, named = nn.BCEWithLogitsLoss(), nn.NLLLoss()
    ones, zeros = torch.ones(9), torch.zeros(9)
    g_adam = torch.optim.Adam(textbook.sampler.parameters(), 2e-4, (0.5, 0.999))
    d_adam = torch.optim.Adam(textbook.discriminator.parameters(), 2e-4, (0.5, 0.999))
    fake = textbook.sampler(latents, labels)
    d_adam.zero_grad()
    for part, truth in ((images, ones), (fake.detach(), zeros)):
        verdict = textbook.discriminator(part)
        loss = source(verdict.real, truth) + named(verdict.classes.log_softmax(1), labels)
        loss.backward()
    d_adam.step()
    g_adam.zero_grad()
    verdict = textbook.discriminator(fake)
    loss = source(verdict.real, ones) + named(verdict.classes.log_softmax(1), labels)
    loss.backward()
    g_adam.step()
    for key, value in dict(textbook.named_parameters()).items():
        torch.testing.assert_close(ours.state_dict()[key], value, rtol=1e-3, atol=1e-4)


def test_running_statistics_are_of_real_images_only() -> None:
    torch.manual_seed(0)
    family = Acgan(CONFIG, 32, 2)
    norm = next(each for each in family.discriminator.modules() if isinstance(each, nn.BatchNorm2d))
    seen: list[torch.Tensor] = []
    hook = norm.register_forward_pre_hook(lambda _module, given: seen.append(given[0].detach()))
    images, labels = torch.rand(8, 3, 32, 32) * 2 - 1, torch.arange(8) % 2
    family.step(images, labels, Generator().manual_seed(1), Progress(0, 1))
    hook.remove()
    assert len(seen) == 3  # real, generated, generated again
    expected = 0.1 * seen[0].mean((0, 2, 3))
    torch.testing.assert_close(norm.running_mean, expected, rtol=1e-4, atol=1e-6)
    assert norm.track_running_stats


def test_statistics_are_noted_again_after_an_error() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3))
    with pytest.raises(ValueError, match="expected 4D input"), unrecorded_statistics(network):
        network(torch.zeros(2, 3))
    assert network[0].track_running_stats


def test_class_weight_zero_learns_no_class() -> None:
    config = CONFIG.model_copy(update={"options": {"class_weight": 0.0}})
    family = Acgan(config, 32, 2)
    before = family.discriminator.layers[-1].weight.detach().clone()
    images, labels = torch.rand(8, 3, 32, 32) * 2 - 1, torch.arange(8) % 2
    family.step(images, labels, Generator().manual_seed(1), Progress(0, 1))
    change = (family.discriminator.layers[-1].weight - before).abs().amax((1, 2, 3))
    assert change[0] > 1e-5
    assert change[1:].max() == 0.0


def test_discriminator_learns_to_name_the_class() -> None:
    """Dark and bright images: after a few dozen steps, unseen ones are told apart."""
    torch.manual_seed(0)
    family = Acgan(CONFIG.model_copy(update={"rate": 1e-3}), 32, 2)
    labels, random = torch.arange(16) % 2, Generator().manual_seed(0)

    def pictures() -> torch.Tensor:
        bright = (labels - 0.5)[:, None, None, None]
        return bright + 0.2 * torch.randn(16, 3, 32, 32, generator=random)

    for step in range(40):
        family.step(pictures(), labels, random, Progress(step, 40))
    family.eval()
    with torch.inference_mode():
        assert (family.class_logits(pictures()).argmax(1) == labels).all()
