import socket
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from dermaug.classifiers.backbones import load_backbone, load_inception
from dermaug.classifiers.fridadar import FridAdar
from dermaug.classifiers.model import Classifier
from dermaug.errors import DermaugError
from dermaug.training.weights import read_weights

TRUNK = Path(__file__).parents[2] / "../shared/weights/mobilenetv1_imagenet_trunk.safetensors"
NAME = "test_resnet.r160_in1k"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "resnet.safetensors"
    torch.manual_seed(0)
    save_file(timm.create_model(NAME).state_dict(), path)
    return path


def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> socket.socket:
        raise OSError("no route to host")

    monkeypatch.setattr(socket, "create_connection", refused)


@pytest.mark.parametrize("name", ["fridadar", NAME])
def test_features_are_what_the_head_sees(name: str) -> None:
    network: nn.Module = FridAdar(size=32) if name == "fridadar" else timm.create_model(NAME)
    classifier = Classifier(network, (0.5,) * 3, (0.2,) * 3).eval()
    images = torch.rand(3, 3, 32, 32)
    (head,) = classifier.head
    with torch.inference_mode():
        features = classifier.features(images)
        assert features.ndim == 2
        torch.testing.assert_close(head(features), classifier(images))


def test_backbone_gives_the_networks_own_pooled_features(weights: Path) -> None:
    backbone = load_backbone(NAME, weights)
    network = timm.create_model(NAME, num_classes=0).eval()
    network.load_state_dict(
        {k: v for k, v in timm_state(weights).items() if not k.startswith("fc.")}
    )
    images = torch.rand(2, 3, backbone.side, backbone.side)
    mean, std = (
        torch.tensor(network.pretrained_cfg[key])[:, None, None] for key in ("mean", "std")
    )
    with torch.inference_mode():
        torch.testing.assert_close(backbone(images), network((images - mean) / std))


def timm_state(path: Path) -> dict[str, torch.Tensor]:
    return read_weights(path)


def test_layers_are_pooled_and_put_side_by_side(weights: Path) -> None:
    both = load_backbone(NAME, weights, layers=("layer2", "layer3"))
    apart = [load_backbone(NAME, weights, layers=(layer,)) for layer in ("layer2", "layer3")]
    images = torch.rand(2, 3, 40, 40)
    with torch.inference_mode():
        torch.testing.assert_close(both(images), torch.cat([one(images) for one in apart], dim=1))


def test_missing_weights_are_refused_unless_no_feature_depends_on_them(
    weights: Path, tmp_path: Path
) -> None:
    state = {k: v for k, v in timm_state(weights).items() if not k.startswith("layer4")}
    cut = tmp_path / "cut.safetensors"
    save_file(state, cut)
    with pytest.raises(DermaugError, match="do not match the network"):
        load_backbone(NAME, cut)
    with pytest.raises(DermaugError, match="select complete layers"):
        load_backbone(NAME, cut, expect_missing=("layer4.*",))
    with pytest.raises(DermaugError, match="select complete layers"):
        load_backbone(NAME, cut, expect_missing=("layer4.*",), layers=("layer3", "layer4"))
    kept = load_backbone(NAME, cut, expect_missing=("layer4.*",), layers=("layer3",))
    whole = load_backbone(NAME, weights, layers=("layer3",))
    images = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(kept(images), whole(images))


@pytest.mark.parametrize(
    ("name", "layers", "expected"),
    [("resnet1888", (), "unknown model"), (NAME, ("layer9",), "no layer 'layer9'")],
)
def test_unknown_names_are_told(
    weights: Path, name: str, layers: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(DermaugError, match=expected):
        load_backbone(name, weights, layers=layers)


def test_hub_weights_without_a_network_fail_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_network(monkeypatch)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DermaugError, match="cannot be reached"):
        load_backbone("resnet18.a1_in1k", None)


def test_inception_without_its_extra_or_its_weights_fails_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_network(monkeypatch)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(DermaugError, match="Inception") as told:
        load_inception()
    assert "--extra fidelity" in str(told.value) or "--weights" in str(told.value)
    assert list(tmp_path.rglob("*.pth")) == []


@pytest.mark.skipif(not TRUNK.exists(), reason="needs ../shared/weights beside the repository")
def test_imagenet_trunk_gives_the_features_of_its_complete_layers() -> None:
    options = {"pad_type": "same", "bn_eps": 1e-3}
    layers, gaps = ("blocks.3", "blocks.4.0"), ("blocks.4.1.conv_pw*", "blocks.4.1.bn2*")
    backbone = load_backbone(
        "mobilenetv1_100", TRUNK, options=options, layers=layers, expect_missing=gaps
    )
    with torch.inference_mode():
        features = backbone(torch.rand(4, 3, 32, 32))
    assert features.shape == (4, 512 + 1024)
    assert torch.isfinite(features).all()
    with pytest.raises(DermaugError, match="select complete layers"):
        load_backbone("mobilenetv1_100", TRUNK, options=options, expect_missing=gaps)
