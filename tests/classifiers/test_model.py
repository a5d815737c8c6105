from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from dermaug.classifiers.fridadar import FridAdar
from dermaug.classifiers.model import (
    ClassifierSpec,
    build_classifier,
    load_classifier,
    save_classifier,
)
from dermaug.config import ClassifierConfig
from dermaug.errors import DermaugError
from dermaug.training import weights

CLASSES = ("bkl", "mel", "nv")
MEAN, STD = (0.7, 0.5, 0.5), (0.1, 0.2, 0.3)
SHARED_WEIGHTS = Path(__file__).parents[3] / "shared/weights/mobilenetv1_imagenet_trunk.safetensors"
TRUNK_OPTIONS = {"pad_type": "same", "bn_eps": 1e-3}
UNTRAINED = ("blocks.4.1.conv_pw.*", "blocks.4.1.bn2.*")


def build(**settings: object) -> tuple[object, ClassifierSpec]:
    config = ClassifierConfig.model_validate(settings)
    spec = ClassifierSpec.of(config, CLASSES, 64)
    return build_classifier(config, spec, MEAN, STD), spec


def test_frid_adar_has_the_published_number_of_parameters() -> None:
    network = FridAdar(channels=1, num_classes=3, size=64)
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_273_347


@pytest.mark.parametrize(("channels", "size"), [(1, 22), (3, 28), (3, 32), (3, 128)])
def test_frid_adar_for_any_size(channels: int, size: int) -> None:
    network = FridAdar(channels=channels, num_classes=7, size=size)
    assert network(torch.rand(2, channels, size, size)).shape == (2, 7)


def test_frid_adar_refuses_images_that_vanish() -> None:
    with pytest.raises(DermaugError, match="at least 22 pixels"):
        FridAdar(size=21)


@pytest.mark.parametrize("model", ["fridadar", "resnet10t"])
def test_classifier_comes_back_from_disk(tmp_path: Path, model: str) -> None:
    torch.manual_seed(0)
    classifier, spec = build(model=model)
    save_classifier(tmp_path / "c.safetensors", classifier, spec)
    back, described = load_classifier(tmp_path / "c.safetensors")
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(back(images), classifier.eval()(images))
    assert described == spec


def test_own_networks_are_normalised_by_the_training_part() -> None:
    classifier, _ = build(model="fridadar")
    torch.testing.assert_close(classifier.mean.flatten(), torch.tensor(MEAN))
    torch.testing.assert_close(classifier.std.flatten(), torch.tensor(STD))


@pytest.mark.parametrize("model", ["no_such_net", "resnet18x"])
def test_unknown_model(model: str) -> None:
    with pytest.raises(DermaugError, match="expected a timm model"):
        build(model=model)


def test_unknown_option() -> None:
    with pytest.raises(DermaugError, match="timm cannot build resnet10t"):
        build(model="resnet10t", options={"no_such_option": 1})


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_local_weights_are_loaded_with_their_own_normalisation(tmp_path: Path, suffix: str) -> None:
    donor = timm.create_model("mobilenetv1_100", num_classes=1000)
    path = tmp_path / f"w{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": donor.state_dict()}, path)
    else:
        save_file(donor.state_dict(), path)
    classifier, _ = build(model="mobilenetv1_100", weights=str(path))
    loaded = classifier.network.state_dict()
    for key, value in donor.state_dict().items():
        assert key.startswith("classifier.") or torch.equal(loaded[key], value)
    torch.testing.assert_close(classifier.mean.flatten(), torch.full((3,), 0.5))


def test_unexpected_keys_are_an_error_that_names_them(tmp_path: Path) -> None:
    state = timm.create_model("resnet10t").state_dict()
    del state["layer1.0.conv1.weight"]
    state["surplus"] = torch.zeros(1)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(DermaugError) as caught:
        build(model="resnet10t", weights=str(tmp_path / "w.safetensors"))
    assert caught.value.details == (
        "layer1.0.conv1.weight: missing in the file",
        "surplus: not in the network",
    )


def test_weight_file_with_code_is_refused(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "owned",)

    torch.save(Payload(), tmp_path / "w.pth")
    with pytest.raises(DermaugError, match="not a readable weight file"):
        build(model="resnet10t", weights=str(tmp_path / "w.pth"))
    assert not (tmp_path / "owned").exists()


def test_missing_weight_file() -> None:
    with pytest.raises(DermaugError, match="no weight file at"):
        build(model="resnet10t", weights="/no/such/file.safetensors")


def test_hub_without_a_network_says_what_to_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    # A port on this machine where nobody listens: refused at once, like a network without a route.
    monkeypatch.setattr(weights, "HUB", ("127.0.0.1", 9))
    with pytest.raises(DermaugError) as caught:
        build(model="resnet10t", pretrained=True)
    assert "cannot be reached" in str(caught.value)
    assert "model.safetensors" in str(caught.value)


@pytest.mark.skipif(
    not SHARED_WEIGHTS.exists(), reason="needs ../shared/weights beside the checkout"
)
def test_real_imagenet_trunk_misses_exactly_the_expected_keys() -> None:
    settings = {"model": "mobilenetv1_100", "options": TRUNK_OPTIONS}
    classifier, _ = build(**settings, weights=str(SHARED_WEIGHTS), expect_missing=UNTRAINED)
    torch.testing.assert_close(classifier.std.flatten(), torch.full((3,), 0.5))
    with pytest.raises(DermaugError, match=r"blocks\.4\.1\.conv_pw\.weight: missing"):
        build(**settings, weights=str(SHARED_WEIGHTS))
