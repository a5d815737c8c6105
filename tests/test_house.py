"""What holds for the whole repository: nothing unpickled, nothing heavy at start, nothing stray."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(ROOT.glob("src/**/*.py"))
HEAVY = ("torch", "timm", "pandas", "sklearn", "matplotlib", "lightning_fabric")


def tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone: looks at tracked files")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(name) for name in listed.stdout.split("\0") if name]


@pytest.mark.parametrize(
    "pattern",
    [
        r"weights_only\s*=\s*False",
        r"\bpickle\.(?:load|loads|Unpickler)\b",
        r"allow_pickle\s*=\s*True",
        r"\bjoblib\.load\b",
        r"\b(?:eval|exec)\(",
    ],
)
def test_nothing_read_from_disk_can_run(pattern: str) -> None:
    # A method may be called eval (PyTorch's modules have one); the built-in may not.
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        for match in re.finditer(pattern, line)
        if not (match.start() and line[match.start() - 1] == ".")
    ]
    assert found == []


def test_torch_load_is_told_to_read_weights_only() -> None:
    calls = [
        call
        for path in SOURCES
        for call in re.findall(r"torch\.load\([^)]*\)", path.read_text(encoding="utf-8"))
    ]
    assert [call for call in calls if "weights_only=True" not in call] == []


def test_no_lock_file_no_photograph_and_no_large_file_is_tracked() -> None:
    files = tracked()
    assert [path for path in files if path.name == "uv.lock"] == []
    photographs = {".jpg", ".jpeg", ".tif", ".tiff", ".safetensors", ".pth", ".pt", ".npy"}
    assert [path for path in files if path.suffix.lower() in photographs] == []
    present = [path for path in files if (ROOT / path).is_file()]
    assert [path for path in present if (ROOT / path).stat().st_size > 500_000] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["run", "--help"], 0),
        (["run", "no_such_study"], 2),
        (["run", "quickstart", "--set", "data.siez=32", "--dry-run"], 2),
        (["data", "check", "no_such_folder"], 2),  # tables of data need pandas
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else None,
)
def test_help_version_and_wrong_configuration_import_nothing_heavy(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    script = (
        "import sys\n"
        f"sys.argv = ['dermaug', *{arguments!r}]\n"
        "from dermaug.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        f"    heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    print('heavy:', heavy, 'code:', end.code or 0)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    heavy = ["pandas"] if arguments[0] == "data" else []
    assert ended.stdout.splitlines()[-1:] == [f"heavy: {heavy} code: {code}"], ended.stderr
    assert list(tmp_path.iterdir()) == []
