"""Each benchmark ends on a few images and prints its table; how fast is not looked at."""

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TEXTBOOKS = [
    "float32, 0 workers",
    "float32, 2 workers",
    "bfloat16, 2 workers",
    "bfloat16, in memory",
]
TINY = ["--images", "16", "--rounds", "1"]

# Workers are forked, as a DataLoader does on Linux, from a process that other tests gave threads.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.slow,
]

Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a benchmark as its command does; gives exit code, output and what it said aside."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setenv("DERMAUG_BENCHMARK_BUSY", "1")  # other tests run beside

    def ended(name: str, *arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(BENCHMARKS / f"{name}.py"), run_name="__main__")
        written = capsys.readouterr()
        return end.value.code, written.out, written.err

    return ended


def figures(table: str, name: str) -> list[float]:
    """Numbers of the table's line with this name: rate, lowest, highest, ratios."""
    (line,) = re.findall(rf"^\W*{name} *│(.*)$", table, re.MULTILINE)
    return [float(number) for number in re.findall(r"[\d.]+", line.replace(",", ""))]


@pytest.mark.parametrize(
    ("name", "options", "references", "ours"),
    [
        ("pixel_cache", [], ["PIL loop"], ["dermaug, first call", "dermaug, second call"]),
        ("dcgan", ["--device", "cpu", "--width", "4"], TEXTBOOKS, ["dermaug"]),
        ("classifier", ["--device", "cpu"], TEXTBOOKS, ["dermaug"]),
        (
            "sampling",
            ["--device", "cpu", "--width", "4"],
            ["forward passes"],
            ["PNG files"],
        ),
    ],
    ids=["pixel_cache", "dcgan", "classifier", "sampling"],
)
def test_rates_and_their_ratios_are_printed(
    name: str, options: list[str], references: list[str], ours: list[str], run: Run
) -> None:
    code, out, _ = run(name, *TINY, *options)
    assert not code
    rates = {way: figures(out, way) for way in (*references, *ours)}
    if references is TEXTBOOKS:  # compared with the usual one and the fastest
        best = max(references, key=lambda way: rates[way][0])
        references = list(dict.fromkeys(["float32, 2 workers", best]))
    for rate, lowest, highest, *ratios in rates.values():
        assert rate == lowest == highest > 0  # there was one round
        expected = [rate / rates[reference][0] for reference in references]
        assert ratios == pytest.approx(expected, rel=0.1, abs=0.01)


def test_every_network_is_timed_in_both_precisions(run: Run) -> None:
    code, out, _ = run(
        "precision", "--device", "cpu", "--rounds", "1", "--batch", "4", "--size", "32"
    )
    assert not code
    assert out.count("│ 32-true") == out.count("│ bf16-mixed") == 7


def test_the_reference_needs_all_its_time_to_its_final_kid_or_less(run: Run) -> None:
    settings = [
        "data.source=phantom",
        "data.size=32",
        "data.classes=[]",
        *(
            f"generators.{k}.{key}"
            for k in (0, 1)
            for key in ("images=64", "width=4", "snapshots=4")
        ),
    ]
    given = [part for setting in settings for part in ("--set", setting)]
    code, out, _ = run("time_to_kid", "--device", "cpu", *given)
    assert not code
    images, seconds, final, reached, share = figures(out, "dcgan")
    assert images == 64
    assert reached <= seconds
    assert 0 < share <= 1
    assert final == pytest.approx(float(re.findall(r"seconds to\s+([\d.-]+)", out)[0]))


def test_operations_of_a_dcgan_step_are_those_counted_by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    written = runpy.run_path(str(BENCHMARKS / "dcgan.py"), run_name="dcgan")
    torch, config = written["torch"], written["GeneratorConfig"](width=8)
    family = written["build_family"](config, 64)
    textbook, images = written["Textbook"](8, torch.device("cpu")), torch.rand(2, 3, 64, 64)
    random, labels = torch.Generator(), torch.zeros(2, dtype=torch.long)

    # 16 weights a pair of channels, at every place of a layer's smaller side, a multiply-add two.
    up = [(100, 64, 1), (64, 32, 4), (32, 16, 8), (16, 8, 16), (8, 3, 32)]
    down = [(3, 8, 32), (8, 16, 16), (16, 32, 8), (32, 64, 4), (64, 1, 1)]
    generator, discriminator = (
        [32 * inputs * outputs * side**2 for inputs, outputs, side in layers]
        for layers in (up, down)
    )
    # Forward, for weights and for inputs; what comes first needs nothing for its inputs.
    g_step = 3 * sum(generator) - generator[0]
    d_step = 2 * (3 * sum(discriminator) - discriminator[0])
    through_d = 2 * sum(discriminator)

    count, start = written["operations_of"], written["Progress"](0, 1)
    assert count(lambda: family.step(images, labels, random, start)) == 2 * (
        g_step + d_step + through_d
    )
    assert count(lambda: textbook.step(images)) == 2 * (
        g_step + d_step + through_d + sum(discriminator)
    )


def test_data_that_are_not_there_are_an_error_without_a_traceback(tmp_path: Path, run: Run) -> None:
    code, out, err = run("pixel_cache", "--data", str(tmp_path / "absent"))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "absent" in err


def test_fidelity_has_the_values_of_torch_fidelity(run: Run) -> None:
    pytest.importorskip("torch_fidelity", reason="needs the extra fidelity")
    code, out, _ = run("fidelity", "--images", "64", "--features", "8", "--rounds", "1")
    assert not code
    for name in ("KID", "FID"):
        ours, theirs, *_ = figures(out, name)
        assert ours == pytest.approx(theirs, rel=1e-4)


def test_stages_are_measured_at_every_size_and_drawn(run: Run, tmp_path: Path) -> None:
    sizes = ["--sizes", "2000", "--sizes", "3000", "--side", "24"]
    code, out, _ = run("scaling", *sizes, "--plot", str(tmp_path / "scaling.svg"))
    assert not code
    for stage in ("open the table", "open the store", "near-duplicates", "folds", "20 batches"):
        times = [
            float(cell) for cell in re.findall(rf"{stage} *│([^\n]*)", out)[0].split("│")[:4:2]
        ]
        assert min(times) > 0.0
    assert "near-duplicates" in (tmp_path / "scaling.svg").read_text()


def test_a_busy_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.delenv("DERMAUG_BENCHMARK_BUSY", raising=False)
    written = runpy.run_path(str(BENCHMARKS / "rounds.py"), run_name="rounds")
    if not Path("/proc/stat").exists():
        pytest.skip("this system does not tell how busy it is")
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with pytest.raises(written["DermaugError"], match="other programs use"):
            written["refuse_busy_machine"]()
    finally:
        busy.kill()
        busy.wait()


def test_what_a_command_took_and_what_its_trainings_took(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    written = runpy.run_path(str(BENCHMARKS / "study.py"), run_name="study")
    took = written["used"](["--version"], tmp_path / "version")
    assert (tmp_path / "version").read_text().startswith("dermaug")
    assert took.seconds > 0.0
    assert took.processor > 0.0
    assert took.memory > 5.0  # of this process, too, at the moment of the fork
    with pytest.raises(written["DermaugError"], match="run no_such_study ended with 2"):
        written["used"](["run", "no_such_study"], tmp_path / "missing")
    for name, record in (("a", '{"seconds": 2.0}'), ("b", '{"training": {"seconds": 3.0}}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "record.json").write_text(record)
    (tmp_path / "record.json").write_text('{"training": null}')  # of a discriminator
    assert written["trained"](tmp_path) == [2.0, 3.0]
