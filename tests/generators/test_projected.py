"""What the projected GAN's backbone sees: images scaled as those that it was trained on."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from dermaug.classifiers.backbones import load_backbone
from dermaug.config import GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.projected import Projected
from dermaug.generators.saved_generator import (
    GeneratorSpec,
    load_family,
    load_generator,
    save_generator,
)
from dermaug.training.checkpoint import load_checkpoint, save_checkpoint

SIDE = 32
DEFAULT = Projected.Options().backbone


def config(backbone: str, folder: Path) -> GeneratorConfig:
    path = folder / f"{backbone}.safetensors"
    if not path.exists():
        torch.manual_seed(0)
        save_file(timm.create_model(backbone).state_dict(), path)
    options = {"backbone": backbone, "weights": str(path), "head_width": 8, "scales": 2}
    return GeneratorConfig(family="projected", width=4, latent=8, options=options)


def seen_by_backbone(backbone: str, folder: Path, images: torch.Tensor) -> torch.Tensor:
    """What arrives at the backbone's door when the discriminator is given images in [0, 1]."""
    family = build_family(config(backbone, folder), SIDE, 2).eval()
    assert isinstance(family, Projected)
    family.prepare()
    seen: list[torch.Tensor] = []
    family._backbone[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.inference_mode():
        family.realness(images * 2.0 - 1.0, torch.zeros(len(images), dtype=torch.long))
    return seen[0]


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def test_default_backbone_sees_images_from_minus_one_to_one(
    tmp_path: Path, images: torch.Tensor
) -> None:
    found = seen_by_backbone(DEFAULT, tmp_path, images)
    torch.testing.assert_close(found, (images - 0.5) / 0.5, rtol=0.0, atol=1e-6)


def test_another_backbone_sees_them_by_its_own_mean_and_deviation(
    tmp_path: Path, images: torch.Tensor
) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    found = seen_by_backbone("test_efficientnet", tmp_path, images)
    expected = torch.stack(
        [(images[:, place] - mean[place]) / std[place] for place in range(3)], dim=1
    )
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("backbone", [DEFAULT, "test_efficientnet"])
def test_judges_and_discriminator_scale_images_alike(
    tmp_path: Path, images: torch.Tensor, backbone: str
) -> None:
    path = Path(str(config(backbone, tmp_path).options["weights"]))
    looking, seen = load_backbone(backbone, path), []
    network = looking.network
    stem = next(module for module in network.modules() if isinstance(module, torch.nn.Conv2d))
    stem.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.inference_mode():
        looking(torch.nn.functional.interpolate(images, size=looking.side))
    expected = seen_by_backbone(backbone, tmp_path, images)
    found = torch.nn.functional.interpolate(seen[0], size=SIDE)
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-5)


def test_checkpoint_says_how_its_heads_saw_images(tmp_path: Path) -> None:
    """Heads that learnt from other inputs are refused; their sampler draws as before."""
    asked, path = config("test_efficientnet", tmp_path), tmp_path / "generator.safetensors"
    family = build_family(asked, SIDE, 2)
    family.backbone_mean.fill_(0.25)
    spec = GeneratorSpec(asked, SIDE, ("mel", "nv"), "key", ("one",), None)
    save_generator(path, family.sampler, spec, family)
    cpu = torch.device("cpu")
    loaded, told = load_family(path, cpu)
    assert told == spec
    torch.testing.assert_close(loaded.backbone_mean, torch.full((1, 3, 1, 1), 0.25))

    state = load_checkpoint(path)
    del state["others"]["backbone_mean"], state["spec"]["validation_images"]
    save_checkpoint(path, state)
    with pytest.raises(DermaugError, match="expected a generator as this version") as caught:
        load_family(path, cpu)
    assert "backbone_mean" in str(caught.value.details)
    sampler, told = load_generator(path, cpu)
    assert told == spec
    for key, value in sampler.state_dict().items():
        assert torch.equal(value, family.sampler.state_dict()[key])


@pytest.mark.parametrize("backbone", [DEFAULT, "test_convnext"])
def test_scales_are_those_of_the_weight_file(
    tmp_path: Path, images: torch.Tensor, backbone: str
) -> None:
    """Also where timm names the weights of a network that gives features in another way."""
    asked = config(backbone, tmp_path)
    family = build_family(asked, SIDE, 2).eval()
    assert isinstance(family, Projected)
    family.prepare()
    whole = timm.create_model(backbone).eval()
    whole.load_state_dict(load_file(tmp_path / f"{backbone}.safetensors"))
    with torch.inference_mode():
        found = family._backbone[0](images)
        stages = whole.forward_intermediates(images, intermediates_only=True)
    for maps in found:
        assert any(
            maps.shape == each.shape and torch.allclose(maps, each, atol=1e-5) for each in stages
        )


def test_a_scale_on_weights_that_the_file_lacks_is_refused(tmp_path: Path) -> None:
    asked = config(DEFAULT, tmp_path)
    path = tmp_path / f"{DEFAULT}.safetensors"
    lacking = {key: value for key, value in load_file(path).items() if "blocks.1." not in key}
    save_file(lacking, path)
    options = asked.options | {"expect_missing": ["blocks.1.*"]}
    family = build_family(asked.model_copy(update={"options": options}), SIDE, 2)
    with pytest.raises(DermaugError, match="depends on weights that are missing"):
        family.prepare()
    options |= {"scales": 1}
    build_family(asked.model_copy(update={"options": options}), SIDE, 2).prepare()
