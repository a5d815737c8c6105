"""Features of every discriminator: of single images, of all layers, independent of the class."""

import numpy as np
import pytest
import timm
import torch
from pydantic import JsonValue
from safetensors.torch import save_file

from dermaug.config import GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.generators import FAMILIES, build_family
from dermaug.generators.discriminator_features import (
    discriminator_features,
    discriminator_layers,
    has_discriminator,
)
from dermaug.generators.family import Family

SIZE = 32
DISCRIMINATORS = ("dcgan", "acgan", "cgan", "projected")
BACKBONE = "test_resnet"


@pytest.fixture(autouse=True, scope="module")
def _weights(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A weight file for the family that looks through a pretrained network, drawn at random."""
    path = tmp_path_factory.mktemp("weights") / f"{BACKBONE}.safetensors"
    torch.manual_seed(0)
    save_file(timm.create_model(BACKBONE).state_dict(), path)
    OPTIONS["projected"] = {"backbone": BACKBONE, "weights": str(path), "head_width": 8}


OPTIONS: dict[str, dict[str, JsonValue]] = {}


def family_of(name: str) -> Family:
    torch.manual_seed(0)
    config = GeneratorConfig.model_validate(
        {"family": name, "width": 4, "batch": 8, "options": OPTIONS.get(name, {})}
    )
    return build_family(config, SIZE, 1 if name == "dcgan" else 3).eval()


def bank_of(number: int, label: int = 0) -> ImageBank:
    images = np.random.default_rng(0).integers(0, 256, (number, SIZE, SIZE, 3), dtype=np.uint8)
    return ImageBank.of(images, np.full(number, label, np.int64), torch.device("cpu"))


def test_every_family_but_flow_has_a_discriminator() -> None:
    assert [name for name, family in FAMILIES.items() if not has_discriminator(family)] == ["flow"]


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_one_row_an_image_in_order_and_all_finite(name: str) -> None:
    bank = bank_of(11)
    found = discriminator_features(family_of(name), bank)
    assert found.shape[0] == 11
    assert np.isfinite(found).all()
    assert len(np.unique(found, axis=0)) == 11


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_the_label_of_an_image_does_not_show(name: str) -> None:
    family = family_of(name)
    of_class_0, of_class_2 = (discriminator_features(family, bank_of(6, label)) for label in (0, 2))
    np.testing.assert_array_equal(of_class_0, of_class_2)


def test_order_of_the_images_only_orders_the_rows() -> None:
    family, bank = family_of("dcgan"), bank_of(9)
    rows = torch.tensor([4, 0, 8, 1, 2, 3, 5, 6, 7])
    found = discriminator_features(family, bank)
    np.testing.assert_allclose(
        discriminator_features(family, bank.part(rows)), found[rows.numpy()], atol=1e-5
    )


def test_pooled_outputs_of_all_layers_are_joined() -> None:
    family, bank = family_of("dcgan"), bank_of(2)
    layers = discriminator_layers(family)
    # 32 px: maps of 16, 8 and 4 pixels, then the verdict's single one.
    expected = sum(layer.out_channels for layer in layers[:-1]) * 16 + layers[-1].out_channels
    found = discriminator_features(family, bank)
    assert found.shape[1] == expected
    with torch.no_grad():
        first = layers[0](bank.batch(np.arange(2))[0] * 2.0 - 1.0)
    highest = first.unflatten(2, (4, -1)).unflatten(4, (4, -1)).amax((3, 5)).flatten(1)
    np.testing.assert_allclose(found[:, : highest.shape[1]], highest.numpy(), atol=1e-6)


def test_a_family_without_discriminator_is_refused() -> None:
    with pytest.raises(DermaugError, match="this family has none"):
        discriminator_features(family_of("flow"), bank_of(2))
