"""`dermaug train generator --devices 2`: signals, kills and mistakes end all, and it resumes."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from programs import Program
from small_grid import DATA, until
from typer.testing import CliRunner

from dermaug.cli import app
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.joining import joined
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.host import has_ended, this_host
from dermaug.training.leading import call_to_job
from dermaug.training.ranks import Ranks

Start = Callable[..., Program]
FILE = f"""
name = "together"
{DATA}
[[classifiers]]
images = 640
[[generators]]
family = "cgan"
images = 1600
batch = 16
width = 8
snapshots = 25
examined = 0
[[generators]]
family = "acgan"
[[arms]]
name = "classic"
[[arms]]
name = "classic+synthetic"
synthetic = {{ family = "cgan", dose = 20, max_per_real = 0 }}
[[arms]]
name = "classic+others"
synthetic = {{ family = "acgan", dose = 20, max_per_real = 0 }}
"""
DEVICES = ("--devices", "2")


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "together.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def start(asked: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts the training of the conditional GAN in a folder."""
    started: list[Program] = []

    def begun(folder: Path, *words: str) -> Program:
        given = ("train", "generator", str(asked), "--output", str(folder), "--family", "cgan")
        given += ("--device", "cpu", "--precision", "32-true", *words)
        started.append(Program(given, tmp_path))
        return started[-1]

    yield begun
    for program in started:
        program.end()


def others(program: Program) -> list[int]:
    """Processes that a program has started for the training."""
    found = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    names = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in found}
    return [pid for pid, name in names.items() if b"from dermaug.cli import main" in name]


def trained(folder: Path) -> Path:
    return next(folder.rglob("generator.safetensors"))


@pytest.mark.slow
def test_signals_and_kills_of_one_end_all_and_the_same_command_resumes(
    start: Start, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    code, said = start(whole, *DEVICES).ended()
    assert code == 0, said

    for number, expected in ((signal.SIGTERM, 143), (signal.SIGKILL, 2)):
        program, before = start(cut, *DEVICES), len(list(cut.rglob("grids/0*.png")))
        until(lambda seen=before: len(list(cut.rglob("grids/0*.png"))) > seen)
        (other,) = others(program)
        os.kill(other, number)
        code, said = program.ended(60)
        assert code == expected, said
        assert said.count("error:") == (number == signal.SIGKILL)
        assert "resume" in said
        assert "Traceback" not in said
        assert has_ended(this_host(), other)
        assert not list(cut.rglob("claim.json"))
        assert list(cut.rglob("resume.safetensors"))
    code, said = start(cut, *DEVICES).ended()
    assert code == 0, said
    assert trained(cut).read_bytes() == trained(whole).read_bytes()
    assert len(list(cut.rglob("synthetic/*.npy"))) == len(list(whole.rglob("synthetic/*.npy"))) > 0


@pytest.mark.slow
def test_another_number_of_processes_goes_on_and_its_images_are_drawn(
    start: Start, tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    program = start(changed, *DEVICES)
    until(lambda: list(changed.rglob("resume.safetensors")))
    program.send(signal.SIGTERM)
    code, said = program.ended()
    assert code == 143, said
    code, said = start(changed, "--launcher", "serial").ended()
    assert code == 0, said
    words = ["generate", str(trained(changed)), "--class", "mel", "--number", "3"]
    result = CliRunner().invoke(app, [*words, "--output", str(tmp_path / "drawn")])
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "drawn").rglob("*.png"))) == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--devices", "0"), "greater than or equal to 1"),
        (("--devices", "2", "--launcher", "ray"), "omit --launcher and --jobs"),
        (("--devices", "2", "--jobs", "2"), "omit --launcher and --jobs"),
        (("--devices", "2", "--family", "acgan"), "choose one of dcgan, cgan, flow"),
        (("--devices", "3", "--family", "cgan"), "a multiple of 12, found 16"),
        (("--devices", "32", "--family", "cgan"), "a multiple of 128, found 16"),
        (("--devices", "2", "--num-nodes", "2"), "torchrun --nnodes 2 --nproc-per-node 2"),
        (("--devices", "2", "--device", "cuda"), "not available on this machine"),
        (("--devices", "2", "--device", "cuda:1"), "not available on this machine"),
    ],
)
def test_what_cannot_be_divided_is_refused_before_anything_is_written(
    words: tuple[str, ...], told: str, asked: Path, tmp_path: Path
) -> None:
    if "cuda" in " ".join(words) and torch.cuda.is_available():
        pytest.skip("needs a machine without a GPU")
    folder = tmp_path / "run"
    given = ["train", "generator", str(asked), "--output", str(folder), *words]
    if "--device" not in words:
        given += ["--device", "cpu"]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())
    assert not folder.exists()


@pytest.mark.slow
def test_first_process_says_why_another_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "from dermaug.experiment.launchers.joining import joined\n"
        "from dermaug.experiment.launchers.launch_options import Launch\n"
        "with joined(Launch(devices=2), 'cpu') as ranks, ranks.fatal():\n"
        "    raise ValueError('no room for images')"
    )
    monkeypatch.setattr(
        "dermaug.experiment.launchers.joining.COMMAND", (sys.executable, "-c", script)
    )
    monkeypatch.setattr("sys.argv", ["dermaug"])
    with pytest.raises(DermaugError, match="process 2 of 2: no room for images; the same command"):
        _call_again_and_again()


def _call_again_and_again() -> None:
    with joined(Launch(devices=2), "cpu") as ranks:
        assert ranks == Ranks(2, 0)
        while True:
            call_to_job(ranks, "generators/cgan")
