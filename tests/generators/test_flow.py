"""Flow matching learns: the class a colour, in a few hundred small steps."""

import pytest
import torch
from torch import Generator, Tensor

from dermaug.config import GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.family import Progress
from dermaug.generators.flow import SPREAD, Flow
from dermaug.generators.transport import guided
from dermaug.training.ema import Ema

RED, BLUE = (0.6, -0.8, -0.8), (-0.8, -0.8, 0.6)


@pytest.fixture(scope="module")
def coloured() -> Flow:
    """Class 0 is red, class 1 is blue; the class is all there is to learn."""
    torch.manual_seed(0)
    config = GeneratorConfig(family="flow", width=8, rate=3e-3)
    family = Flow(config, 16, 2)
    labels = torch.arange(16) % 2
    images = torch.tensor([RED, BLUE])[labels][:, :, None, None].expand(16, 3, 16, 16).contiguous()
    average, random = Ema(family.sampler, 0.95), Generator().manual_seed(0)
    losses = []
    for step in range(200):
        found = family.step(images, labels, random, Progress(step, 200))
        losses.append(found["velocity_loss"].item())
        average.at(step)
        average.update()
    assert sum(losses[-20:]) < 0.4 * sum(losses[:20])
    family.sampler.load_state_dict(average.state_dict())
    return family.eval()


def drawn(family: Flow, labels: Tensor) -> Tensor:
    latents = family.sampler.draw_latents(len(labels), Generator().manual_seed(1))
    with torch.inference_mode():
        return family.sampler(latents, labels)


def test_classes_come_out_in_their_colours(coloured: Flow) -> None:
    for label, colour in enumerate((RED, BLUE)):
        images = drawn(coloured, torch.full((8,), label))
        means = images.mean((2, 3))
        assert (means - torch.tensor(colour)).abs().max() < 0.25
        assert images.abs().max() <= 1.0


def test_guidance_is_built_from_both_velocities(coloured: Flow) -> None:
    sampler = coloured.sampler
    labels = torch.tensor([0, 1])
    latents = sampler.draw_latents(2, Generator().manual_seed(1))
    points, times = sampler.noise(latents), torch.full((2,), 0.5)
    config = GeneratorConfig(family="flow", width=8, options={"guidance": 2.0, "steps": 1})
    other = Flow(config, 16, 2)
    other.sampler.load_state_dict(sampler.state_dict())
    with torch.inference_mode():
        told = sampler.velocity(points, times, labels)
        untold = sampler.velocity(points, times, torch.full((2,), sampler.network.no_class))
        assert (told - untold).abs().max() > 0.05
        found = other.sampler.followed(points, times, labels)
    torch.testing.assert_close(found, guided(told, untold, 2.0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("solver", ["euler", "heun"])
def test_untrained_it_draws_noise_of_the_images_spread(solver: str) -> None:
    """The network says nothing yet: what is left is the exact field of normal noise."""
    options = {"solver": solver, "steps": 50}
    family = build_family(GeneratorConfig(family="flow", width=4, options=options), 16, 2)
    latents = family.sampler.draw_latents(4, Generator().manual_seed(0))
    with torch.inference_mode():
        images = family.sampler(latents, torch.zeros(4, dtype=torch.long))
    expected = (SPREAD * latents).reshape(4, 3, 16, 16).clamp(-1.0, 1.0)
    torch.testing.assert_close(images, expected, rtol=0.0, atol=0.1)


def test_class_is_dropped_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Tensor] = []
    family = Flow(GeneratorConfig(family="flow", width=4, options={"class_dropout": 0.3}), 16, 2)
    forward = family.sampler.network.forward

    def noted(images: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        told.append(labels)
        return forward(images, times, labels)

    monkeypatch.setattr(family.sampler.network, "forward", noted)
    images, labels = torch.zeros(500, 3, 16, 16), torch.ones(500, dtype=torch.long)
    family.step(images, labels, Generator().manual_seed(0), Progress(0, 1))
    (seen,) = told
    assert set(seen.tolist()) == {1, family.sampler.network.no_class}
    assert (seen != 1).float().mean().item() == pytest.approx(0.3, abs=0.06)


def test_wrong_options_are_named() -> None:
    config = GeneratorConfig(family="flow", options={"solver": "rk4", "step": 3})
    with pytest.raises(DermaugError) as caught:
        Flow(config, 32, 2)
    assert len(caught.value.details) == 2
