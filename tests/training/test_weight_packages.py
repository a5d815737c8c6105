"""Weights by pip: known by their digest, named as timm names them, and said where to be had."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file

from dermaug.classifiers.backbones import load_backbone
from dermaug.classifiers.model import ClassifierSpec, build_classifier
from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.projected import Projected
from dermaug.training import weight_packages
from dermaug.training.weight_packages import packaged_file, packaged_weights
from dermaug.training.weights import require_hub

MODEL = "tf_efficientnet_lite1"
TIMMS = Path(__file__).parents[3] / "shared/weights/tf_efficientnet_lite1.safetensors"
PROJECTED = GeneratorConfig(family="projected", width=4, latent=8, options={"head_width": 8})
needs_package = pytest.mark.skipif(
    packaged_file(MODEL) is None, reason="needs the extra imagenet, which holds the weights"
)


@needs_package
@pytest.mark.parametrize("start", [{"weights": "package"}, {"pretrained": True}], ids=list)
def test_a_classifier_starts_from_the_weights_of_the_package(start: dict[str, Any]) -> None:
    config = ClassifierConfig(model=MODEL, **start)
    spec = ClassifierSpec.of(config, ("mel", "nv"), 32)
    built = build_classifier(config, spec, (0.1,) * 3, (0.9,) * 3)
    assert built.mean.flatten().tolist() == [0.5] * 3  # the network's own
    whole = packaged_weights(MODEL, timm.create_model(MODEL))
    assert torch.equal(built.network.state_dict()["conv_stem.weight"], whole["conv_stem.weight"])
    assert built.network.get_submodule("classifier").weight.shape[0] == 2  # type: ignore[union-attr]


@needs_package
@pytest.mark.skipif(not TIMMS.exists(), reason="needs timm's own file of these weights")
def test_the_package_holds_timms_weights() -> None:
    theirs = load_file(TIMMS)
    ours = packaged_weights(MODEL, timm.create_model(MODEL))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())


@needs_package
def test_it_is_the_default_backbone_of_the_projected_gan_and_of_an_audit() -> None:
    family = build_family(PROJECTED, 32, 2)
    assert isinstance(family, Projected)
    assert family.own.backbone == MODEL
    family.prepare()
    assert load_backbone(MODEL, None).side == 128


def test_without_the_package_the_backbone_is_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_packages, "PACKAGES", {})
    assert Projected.Options().backbone == "mobilenetv1_100"


@needs_package
def test_a_backbone_with_a_weight_file_of_ones_own_stays() -> None:
    assert Projected.Options(weights="mobilenet.safetensors").backbone == "mobilenetv1_100"
    assert Projected.Options(weights="package").backbone == MODEL


@needs_package
def test_another_file_in_the_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "weights.pth"
    torch.save({}, other)
    monkeypatch.setattr(weight_packages, "packaged_file", lambda _: other)
    with pytest.raises(DermaugError, match="SHA-256 differs"):
        packaged_weights(MODEL, timm.create_model(MODEL))


def test_the_error_names_file_package_and_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dermaug.training.weights.HUB", ("127.0.0.1", 9))
    with pytest.raises(DermaugError, match="pretrained weights of mobilenetv1_100") as caught:
        require_hub("mobilenetv1_100", "")
    told = "\n".join(caught.value.details)
    assert all(way in told for way in ("file: weights =", "package: weights =", "timm's hub:"))
    config = ClassifierConfig(model="resnet18", weights="package")
    with pytest.raises(DermaugError, match="no installed package has weights of resnet18"):
        build_classifier(config, ClassifierSpec.of(config, ("a", "b"), 32), (0.5,) * 3, (0.5,) * 3)
