import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim import AdamW

from dermaug.errors import DermaugError
from dermaug.training.checkpoint import checkpoint_digest, load_checkpoint, save_checkpoint


def trained() -> tuple[nn.Module, AdamW]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    optimizer = AdamW(network.parameters())
    network(torch.rand(2, 3, 8, 8)).square().mean().backward()
    optimizer.step()
    return network, optimizer


def test_round_trip_of_a_training(tmp_path: Path) -> None:
    network, optimizer = trained()
    state = {"n": network.state_dict(), "o": optimizer.state_dict(), "step": 3, "ema": None}
    digest = save_checkpoint(tmp_path / "a.safetensors", state)
    back = load_checkpoint(tmp_path / "a.safetensors")
    assert checkpoint_digest(tmp_path / "a.safetensors") == digest
    assert (back["step"], back["ema"]) == (3, None)
    (group,) = optimizer.state_dict()["param_groups"]
    assert back["o"]["param_groups"] == [group | {"betas": list(group["betas"])}]
    for key, value in network.state_dict().items():
        assert torch.equal(back["n"][key], value)
    for index, slots in optimizer.state_dict()["state"].items():
        for name, value in slots.items():
            assert torch.equal(back["o"]["state"][index][name], value)


def test_a_flipped_bit_anywhere_is_noticed(tmp_path: Path) -> None:
    """Header, digest and weights: each byte in turn."""
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, {"weights": torch.arange(20), "classes": ["mel", "nv"], "step": 3})
    whole = path.read_bytes()
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= 1 << place % 8
        path.write_bytes(content)
        with pytest.raises(DermaugError):
            load_checkpoint(path)
    path.write_bytes(whole)
    assert load_checkpoint(path)["step"] == 3


@pytest.mark.parametrize("change", [lambda content: content + b"\0", lambda content: content[:-1]])
def test_a_byte_more_or_less_is_noticed(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, {"weights": torch.zeros(100)})
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DermaugError, match="incomplete or damaged"):
        load_checkpoint(path)


def test_equal_states_give_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        network, optimizer = trained()
        save_checkpoint(tmp_path / name, {"n": network.state_dict(), "o": optimizer.state_dict()})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_checkpoint_of_an_earlier_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    told = json.dumps({"sha256": "0" * 64, "structure": {"pairs": []}})
    save_file({"a": torch.zeros(3)}, path, {"dermaug": told})
    with pytest.raises(DermaugError, match="of an earlier version of dermaug"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty, .* restore it from a copy"),
        (b"\0" * 5_000, "empty, .* restore it from a copy"),
        (b"\x80\x04", "not a dermaug checkpoint"),
        (None, "incomplete or damaged"),
    ],
)
def test_file_that_is_no_checkpoint(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "a.safetensors"
    if content is None:
        save_checkpoint(path, {"weights": torch.zeros(100)})
        content = path.read_bytes()[:-50]
    path.write_bytes(content)
    with pytest.raises(DermaugError, match=expected) as caught:
        load_checkpoint(path)
    assert "delete" not in caught.value.message


def test_weights_of_a_user_are_no_checkpoint_and_are_not_to_be_deleted(tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "mine.pth")
    save_file({"layer.weight": torch.zeros(3)}, tmp_path / "mine.safetensors")
    for name in ("mine.pth", "mine.safetensors"):
        with pytest.raises(DermaugError, match="not a dermaug checkpoint") as caught:
            load_checkpoint(tmp_path / name)
        assert "delete" not in caught.value.message


def test_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(DermaugError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_pickle_is_never_run(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "owned",)  # type: ignore[return-value]

    torch.save({"weights": Payload()}, tmp_path / "a.safetensors")
    with pytest.raises(DermaugError):
        load_checkpoint(tmp_path / "a.safetensors")
    assert not (tmp_path / "owned").exists()


def test_object_that_is_not_plain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="plain values"):
        save_checkpoint(tmp_path / "a.safetensors", {"x": object()})
    assert not (tmp_path / "a.safetensors").exists()
