"""Exit codes and messages: what is wrong is said in one line, and nothing is left behind."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.testing

from dermaug import __version__
from dermaug.cli import app
from dermaug.cli.app import GuardedGroup
from dermaug.config import PhantomConfig
from dermaug.data.sources.phantom import write_phantoms

Ended = tuple[int, str]
EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))
PROGRAM = str(Path(sys.executable).parent / "dermaug")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = PhantomConfig(number=70, balanced=True)
    return write_phantoms(tmp_path_factory.mktemp("data") / "phantoms", asked, 16)


@pytest.fixture
def dermaug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run a command in an empty folder; gives its exit code and all it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> Ended:
        ended = typer.testing.CliRunner().invoke(app, [str(word) for word in words])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        assert "Traceback" not in ended.output
        return ended.exit_code, ended.output

    return run


def assert_refused(ended: Ended, expected: str, folder: Path) -> None:
    code, output = ended
    assert code == 2
    assert expected in output
    assert output.count("error:") == 1
    assert list(folder.iterdir()) == []


def test_version(dermaug: Callable[..., Ended]) -> None:
    assert dermaug("--version") == (0, f"dermaug {__version__}\n")


def test_every_command_has_help(dermaug: Callable[..., Ended]) -> None:
    groups = {(): typer.main.get_command(app)}
    while groups:
        path, command = groups.popitem()
        code, output = dermaug(*path, "--help")
        assert code == 0
        assert "Usage" in output
        groups |= {(*path, name): part for name, part in getattr(command, "commands", {}).items()}


def test_unknown_experiment_names_the_shipped_ones(
    dermaug: Callable[..., Ended], tmp_path: Path
) -> None:
    assert_refused(dermaug("run", "quickstrat"), "did you mean 'quickstart'?", tmp_path)
    assert_refused(dermaug("run", "zzz"), "controls_phantom", tmp_path)
    assert_refused(dermaug("run", "missing.toml"), "no experiment file at missing.toml", tmp_path)


def test_shipped_experiments_are_listed_with_question_and_cost(
    dermaug: Callable[..., Ended],
) -> None:
    code, output = dermaug("run", "--list")
    assert code == 0
    lines = {line.split()[0]: line.split(maxsplit=2)[1:] for line in output.splitlines()}
    assert lines["quickstart"][0] == "minutes"
    assert lines["pretrained_128"][0] == "days"
    assert lines["ham10000"][1].startswith("Do selected images of a conditional GAN")
    assert lines.keys() >= {path.stem for path in EXPERIMENTS}


def test_schema_explains_every_key(dermaug: Callable[..., Ended]) -> None:
    code, output = dermaug("schema")
    schema = json.loads(output)
    assert code == 0
    assert set(schema["properties"]) >= {"name", "question", "data", "arms", "seeds"}
    sections = schema["$defs"].items()
    silent = [
        f"{name}.{key}"
        for name, section in sections
        for key, entry in section["properties"].items()
        if not ({"description", "$ref"} & entry.keys())
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("data.siez=32", "data.siez: unknown key; did you mean 'size'?"),
        ("clasifiers.0.images=1", "clasifiers: unknown key; did you mean 'classifiers'?"),
        ("data.size=big", "data.size: "),
        ("data.size=3", "greater than or equal to 16; found 3"),
        ("splits.folds=5", "splits.folds and splits.holdout exclude each other"),
        ("arms.3.synthetic.balance=5", "exactly one of dose and balance"),
        ("arms.3.synthetic.family=gan", "needs generator 'gan'"),
        ("classifiers.9.images=1", "no such entry"),
        ("data.size", "--set expects key=value"),
    ],
)
def test_wrong_setting_is_named_with_its_remedy(
    dermaug: Callable[..., Ended], tmp_path: Path, setting: str, expected: str
) -> None:
    for mode in ([], ["--dry-run"]):
        assert_refused(dermaug("run", "--set", setting, *mode), expected, tmp_path)


def test_no_data_at_the_path(dermaug: Callable[..., Ended], tmp_path: Path) -> None:
    refused = "found nothing; check the path"
    assert_refused(dermaug("run", "--data", "nowhere"), refused, tmp_path)
    assert_refused(dermaug("data", "check", "nowhere"), refused, tmp_path)
    assert_refused(dermaug("data", "summary", "nowhere", "-o", "."), refused, tmp_path)


SMALL = """
name = "small"

[data]
size = 32

[splits]
run = [0]

[[classifiers]]
images = 24_000

[[generators]]
classes = ["mel"]
images = 16_000
batch = 16

[[arms]]
name = "real"

[[arms]]
name = "classic"
policy = "standard"

[[arms]]
name = "classic+synthetic"
policy = "standard"
synthetic = { balance = 300 }
"""


@pytest.fixture
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment file outside of the folder that the test looks at."""
    path = tmp_path_factory.mktemp("asked") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--set", "data.classes=['mel','nx']"], "data.classes: no label 'nx'"),
        (["--set", "splits.folds=40"], "at least 40 lesions of every class"),
        (["--set", "generators.0.classes=['melanoma']"], "found 'melanoma'"),
        (["--set", "generators.0.family=gan", "--set", "arms.2.synthetic.family=gan"], "'gan'"),
        (["--set", "data.size=50"], "data.size is 50"),
        (["--set", "classifiers.0.model=resnet1888"], "unknown model 'resnet1888'"),
        (["--device", "tpu"], "--device tpu: expected auto, cpu, cuda, cuda:N or mps"),
        (["--precision", "64"], "--precision 64"),
    ],
    ids=lambda part: part[-1] if isinstance(part, list) else None,
)
def test_dry_run_finds_what_only_the_data_or_the_networks_tell(
    dermaug: Callable[..., Ended],
    tmp_path: Path,
    phantoms: Path,
    words: list[str],
    expected: str,
    small_study: Path,
) -> None:
    given = ["run", small_study, "--data", phantoms, "--dry-run"]
    assert_refused(dermaug(*given, *words), expected, tmp_path)


@pytest.mark.parametrize("mode", [(), ("--dry-run",)])
def test_what_leaks_is_refused_before_anything_is_written(
    dermaug: Callable[..., Ended],
    tmp_path: Path,
    phantoms: Path,
    small_study: Path,
    mode: tuple[str, ...],
) -> None:
    words = ["run", small_study, "--data", phantoms, "--device", "cpu", *mode]
    same = ("--set", f"data.external_test=['{phantoms}']")
    told = "of these 70 images match training images"
    assert_refused(dermaug(*words, *same), told, tmp_path)
    arm = ("--set", f"arms.1.synthetic={{folder = '{phantoms}', dose = 1}}")
    told = "match images of the validation or test split"
    assert_refused(dermaug(*words, *arm), told, tmp_path)


def test_dry_run_refuses_the_output_that_a_run_would_refuse(
    dermaug: Callable[..., Ended], tmp_path: Path, phantoms: Path, small_study: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    words = ["run", small_study, "--data", phantoms, "--dry-run", "--output"]
    for place, told in (("mine", "but notes.txt"), ("mine/notes.txt", "cannot write to the")):
        code, output = dermaug(*words, place)
        assert code == 2
        assert told in output


def test_an_option_of_one_value_is_given_once(
    dermaug: Callable[..., Ended], tmp_path: Path
) -> None:
    words = ("generate", "nowhere", "--class", "df", "--number", "4", "--class=akiec")
    told = "--class is given 2 times, and takes one value; give it once"
    assert_refused(dermaug(*words), told, tmp_path)
    words = ("generate", "nowhere", "--class", "df", "-oone", "-o", "two")
    assert_refused(dermaug(*words), "is given 2 times, and takes one value", tmp_path)
    words = ("run", "--dry-run", "--set", "seeds=[0]", "--set=seeds = [5]")
    assert_refused(dermaug(*words), "--set seeds is given 2 times, and only the last", tmp_path)
    assert "given" not in dermaug("run", "--list", "--set", "a=1", "--set", "b=2")[1]


def test_what_a_library_makes_of_an_interrupt_counts_as_the_interrupt() -> None:
    program = typer.Typer(cls=GuardedGroup)

    @program.callback()
    def _root() -> None:
        """Has commands."""

    @program.command()
    def load() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("cannot load module more than once per process") from None

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & ignores it
    ended = typer.testing.CliRunner().invoke(program, ["load"])
    signal.signal(signal.SIGINT, before)
    assert ended.exit_code == 130
    assert "interrupted; nothing is left half-written" in ended.output


def test_dry_run_lists_all_jobs_and_writes_nothing(
    dermaug: Callable[..., Ended], tmp_path: Path, phantoms: Path, small_study: Path
) -> None:
    code, output = dermaug(
        *("run", small_study, "--data", phantoms, "--dry-run", "--set", "seeds=[0]"),
        *("--set", "generators.0.classes=['mel']", "--set", "generators.0.width=4"),
    )
    assert code == 0
    assert "1 generators and 4 classifiers" in output
    assert "classifiers/classic+synthetic/fridadar/fold0-seed0" in output.replace("\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_output_folder_should_be(
    dermaug: Callable[..., Ended], tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    code, output = dermaug("run", "--output", taken)
    assert code == 2
    assert f"cannot write to the output folder {taken}" in output
    assert taken.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_output_folder_that_is_read_only(dermaug: Callable[..., Ended], tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    code, output = dermaug("run", "--output", locked / "run")
    assert code == 2
    assert "cannot write to the output folder" in output
    assert list(locked.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["report", "nowhere"], "is not a run of dermaug"),
        (["predict", "nowhere", "a.jpg"], "expected a classifier"),
        (["evaluate", "nowhere", "--data", "."], "expected a classifier"),
        (["generate", "none.safetensors", "--class", "mel", "-o", "out"], "expected a generator"),
    ],
    ids=lambda part: part[0] if isinstance(part, list) else None,
)
def test_missing_inputs_are_named(
    dermaug: Callable[..., Ended], tmp_path: Path, words: list[str], expected: str
) -> None:
    assert_refused(dermaug(*words), expected, tmp_path)


def test_path_of_the_data_may_hold_quotes_and_spaces(
    dermaug: Callable[..., Ended], tmp_path: Path
) -> None:
    folder = tmp_path / 'it\'s "mine" \\ é'
    folder.mkdir()
    _, output = dermaug("run", "--data", folder, "--output", tmp_path / "run")
    assert f"{folder}: not a supported data set" in output


def test_bad_file_is_listed_by_the_check(
    dermaug: Callable[..., Ended], tmp_path: Path, phantoms: Path
) -> None:
    assert dermaug("data", "check", phantoms)[0] == 0
    copy = tmp_path / "copy"
    shutil.copytree(phantoms, copy)
    bad = min(copy.glob("HAM10000_images_part_1/*.jpg"))
    bad.write_bytes(bad.read_bytes()[:200])
    code, output = dermaug("data", "check", copy)
    assert code == 2
    assert "a run would refuse these data" in " ".join(output.split())
    assert str(bad) in output


def test_error_is_raised_as_it_is_under_debug(tmp_path: Path) -> None:
    words = [PROGRAM, "--debug", "run", "quickstrat"]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "Traceback" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing_half_written_and_tells_the_command_to_go_on(
    tmp_path: Path, number: int, code: int
) -> None:
    words = [PROGRAM, "data", "phantom", "drawn", "--number", "100000", "--size", "64"]
    # A shell that runs the tests in the background has them ignore Ctrl-C; a child inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with process as started:
        while not list(tmp_path.glob(".partial-*/*/*.jpg")):
            assert started.poll() is None, started.communicate()[1]
            time.sleep(0.05)
        started.send_signal(number)
        _, told = started.communicate()
    assert started.returncode == code
    assert "to begin again, run: dermaug data phantom drawn --number 100000" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ImportError("libtorch.so: failed to map segment from shared object"), "out of memory"),
        (OSError(errno.EMFILE, "Too many open files"), "`ulimit -n`"),
        (OSError(errno.EFBIG, "File too large", "input.safetensors"), "`ulimit -f`"),
    ],
)
def test_limits_of_the_system_are_told_with_their_remedy(error: Exception, told: str) -> None:
    program = typer.Typer(cls=GuardedGroup)

    @program.callback()
    def _root() -> None:
        """Has commands."""

    @program.command()
    def work() -> None:
        raise error

    ended = typer.testing.CliRunner().invoke(program, ["work"])
    assert ended.exit_code == 2
    assert told in ended.output
    assert "input" not in ended.output
