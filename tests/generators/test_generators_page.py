"""What docs/generators.md tells: families, options, and the family that it shows."""

import importlib.util
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from dermaug.config import GeneratorConfig
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.experiment_file import validate_experiment
from dermaug.generators import FAMILIES, build_family
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec, load_generator
from dermaug.generators.state import GeneratorTask
from dermaug.synthesis.sampling import sample
from dermaug.training.file_names import GENERATOR

PAGE = (Path(__file__).parents[2] / "docs/generators.md").read_text(encoding="utf-8")
OPTIONS = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_family_is_on_the_page() -> None:
    assert set(FAMILIES) <= set(re.findall(r"^\| `(\w+)` \| one ", PAGE, re.MULTILINE))


@pytest.mark.parametrize("family", ["dcgan", "acgan", "flow"])
def test_all_options_of_a_family_are_in_the_table(family: str) -> None:
    told = [option for name, option, _ in OPTIONS if name == family]
    assert told == list(FAMILIES[family].Options.model_fields)


@pytest.mark.parametrize(("family", "option", "default"), OPTIONS)
def test_options_have_the_defaults_that_are_told(family: str, option: str, default: str) -> None:
    field = FAMILIES[family].Options.model_fields[option]
    assert field.default == tomllib.loads(f"value = {default}")["value"]


def test_snippets_are_parts_of_a_right_study() -> None:
    flow, discriminator = (tomllib.loads(text) for text in snippets("toml"))
    (config,) = flow["generators"]
    build_family(GeneratorConfig.model_validate(config | {"width": 4}), 32, 3)
    assert (
        validate_experiment({"name": "x"} | discriminator, "page").arms[0].discriminator == "acgan"
    )


def test_family_of_the_page_trains_and_draws(
    tmp_path: Path, fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user would: the file, the line, a training, images that are as they must be."""
    (text,) = snippets("python")
    file = tmp_path / "mean.py"
    file.write_text(text, encoding="utf-8")
    described = importlib.util.spec_from_file_location("mean", file)
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    monkeypatch.setitem(FAMILIES, "mean", module.MeanImages)

    pixels = np.random.default_rng(0).integers(90, 110, (24, 16, 16, 3), dtype=np.uint8)
    labels = np.arange(24) % 2
    pixels[labels == 1] += 100
    bank = ImageBank.of(pixels, labels, torch.device("cpu"))
    settings = {"images": 4_800, "batch": 24, "rate": 2e-2, "options": {"noise": 0.02}}
    config = GeneratorConfig.model_validate({"family": "mean", "snapshots": 2} | settings)
    spec = GeneratorSpec(config, 16, ("dark", "bright"), "fold-key", ())
    train_generator(GeneratorTask("mean", spec, bank, 0, tmp_path), fabric)
    sampler, _ = load_generator(tmp_path / GENERATOR, fabric.device)
    for label, grey in enumerate((100.0, 200.0)):
        images = sample(sampler, label, 8, seed=0)
        assert images.mean() == pytest.approx(grey, abs=5.0)
        assert images.std() == pytest.approx(0.02 * 127.5, abs=3.0)
    with pytest.raises(DermaugError, match=r"generators\.options of mean"):
        build_family(GeneratorConfig(family="mean", options={"nois": 1}), 16)
