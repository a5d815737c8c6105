"""Standard output that is full, standard input that is closed, and Ctrl-C: no traceback."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermaug.cli.app import _goes_on

PROGRAM = str(Path(sys.executable).parent / "dermaug")
FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full on this system")
@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("words", ["--version", "runs --help", "runs . --json"])
def test_full_standard_output_is_said_in_a_line(words: str, buffered: str, tmp_path: Path) -> None:
    with FULL.open("wb") as full:
        ended = subprocess.run(
            [PROGRAM, *words.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": buffered},
        )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("error:") == 1
    if "compare" not in words:  # which is refused
        assert "standard output, or another open file: No space left on device" in ended.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii", "utf-8"])
def test_what_an_encoding_lacks_is_written_plainer(encoding: str) -> None:
    text = r"'\u2212.1 to \u9ed2\udce4'"
    program = (
        "import sys; from dermaug.cli.streams import take_any_text; take_any_text(); "
        f"print({text}); print({text}, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )
    kept = "\u2212.1 to \u9ed2" if encoding == "utf-8" else "-.1 to \\u9ed2"
    assert ended.stdout.decode(encoding).strip() == f"{kept}\\udce4"
    assert ended.stderr == ended.stdout


def test_a_command_writes_names_that_the_encoding_of_the_terminal_lacks(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for label in ("\u9ed2", "nv"):
        (tmp_path / label).mkdir()
        for number in range(3):
            pixels = random.integers(0, 255, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{label}{number}.png")
    ended = subprocess.run(
        [PROGRAM, "data", "check", str(tmp_path)],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
    )
    assert b"Traceback" not in ended.stderr
    assert b"\\u9ed2" in ended.stdout


@pytest.mark.parametrize("end", ["<&-", "</dev/null"])
def test_a_question_that_nobody_answers_names_the_option(end: str, tmp_path: Path) -> None:
    drawn = tmp_path / "phantoms" / "few"
    drawn.mkdir(parents=True)
    (drawn / "a.png").write_bytes(b"0" * 10)
    ended = subprocess.run(
        f"{shlex.quote(PROGRAM)} cache clear {end}",
        shell=True,
        capture_output=True,
        text=True,
        env=os.environ | {"DERMAUG_CACHE": str(tmp_path)},
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "found no standard input; add --yes" in ended.stderr
    assert drawn.exists()


def test_only_commands_that_keep_something_say_that_they_go_on() -> None:
    assert "to resume, run again" in _goes_on(["run", "x.toml"])
    assert "to resume, run again" in _goes_on(["train", "generator"])
    for words in (["score", "run"], ["report", "run"], []):
        assert "begin again" in _goes_on(words)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_text_that_is_cut_by_a_limit_is_an_error(tmp_path: Path, buffered: str) -> None:
    whole = tmp_path / "schema.json"
    ended = subprocess.run(
        ["bash", "-c", f"ulimit -f 1; exec {PROGRAM} schema > {whole}"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": buffered},
    )
    assert (ended.returncode, whole.stat().st_size) == (2, 1024)
    assert "larger than this system allows" in ended.stderr
