"""The recipes of CONTRIBUTING.md, added to a copy of the package: a study runs with all of them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dermaug.data.sources.phantom import draw_class
from dermaug.evaluation.predictions import probabilities_of, read_predictions
from dermaug.evaluation.readouts import prior_adjusted, prior_array
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import TrialRecord

ROOT = Path(__file__).parents[1]
CLASSES = ("mel", "nv")
STUDY = """
name = "recipes"
seeds = [0, 1]
[data]
size = 32
[splits]
folds = 3
run = [0]
[[classifiers]]
images = 64
batch = 16
validations = 1
[[generators]]
family = "mean"
images = 128
batch = 16
snapshots = 1
[[arms]]
name = "real"
[[arms]]
name = "mean"
synthetic = { family = "mean", dose = 6 }
replay = false
[[arms]]
name = "blend"
synthetic = { family = "blend", dose = 6 }
"""
BLOCK = re.compile(
    r"^```py(?:thon)?\n# (src/[\w/]+\.py)(?:, (before|into) (\w+))?\n(.*?)^```", re.M | re.S
)


def recipe(document: str, title: str) -> list[tuple[str, str, str, str]]:
    """The blocks under a heading: file, `before` or `into` or "", name, lines."""
    text = (ROOT / document).read_text(encoding="utf-8")
    section = re.split(r"^##+ ", text.split(f"## {title}\n")[1], flags=re.M)[0]
    return BLOCK.findall(section)


RECIPES = {
    "data layout": recipe("CONTRIBUTING.md", "Add a data layout"),
    "family": [
        *recipe("docs/generators.md", "Write your own family"),
        *recipe("CONTRIBUTING.md", "Add a generator family"),
    ],
    "filler": recipe("CONTRIBUTING.md", "Add a filler of an arm"),
    "metric": recipe("CONTRIBUTING.md", "Add a metric"),
}


def follow(root: Path, blocks: list[tuple[str, str, str, str]]) -> None:
    """Do what the blocks say: write a file, or add lines before or into a name of one."""
    for file, place, name, lines in blocks:
        path = root / file
        if not place:
            assert not path.exists()
            path.write_text(lines, encoding="utf-8")
            continue
        text = path.read_text(encoding="utf-8")
        imports = "".join(re.findall(r"^from .*\n", lines, re.M))
        rest = lines.replace(imports, "")
        (start,) = re.findall(rf"^{name}\b.*= [\[({{]\n", text, re.M)
        added = f"{rest}\n\n{start}" if place == "before" else f"{start}{rest}"
        if imports:
            first = re.search(r"^from dermaug", text, re.M)
            assert first is not None
            text = text[: first.start()] + imports + text[first.start() :]
        path.write_text(text.replace(start, added), encoding="utf-8")


def test_each_recipe_touches_as_few_files_as_it_says() -> None:
    changes = {
        name: ({file for file, place, *_ in blocks if not place}, {file for file, *_ in blocks})
        for name, blocks in RECIPES.items()
    }
    counted = {name: (len(new), len(all_)) for name, (new, all_) in changes.items()}
    assert counted == {"data layout": (0, 1), "family": (1, 2), "filler": (0, 2), "metric": (0, 1)}
    entries = [lines for blocks in RECIPES.values() for _, how, _, lines in blocks if how == "into"]
    assert len(entries) == 5
    assert all(len(re.findall(r"^ ", lines, re.M)) == 1 for lines in entries)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with every recipe, on phantoms in the new layout."""
    folder = tmp_path_factory.mktemp("recipes")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src/dermaug", folder / "src/dermaug", ignore=ignored)
    for blocks in RECIPES.values():
        follow(folder, blocks)
    (folder / "data").mkdir()
    lines = ["picture,finding\n"]
    for label in CLASSES:
        for number, pixels in enumerate(draw_class(label, 45, 3, 32).images):
            lines.append(f"{label}{number}.png,{label}\n")
            Image.fromarray(pixels).save(folder / "data" / f"{label}{number}.png")
    (folder / "data/list.csv").write_text("".join(lines))
    (folder / "recipes.toml").write_text(STUDY)
    program = f"import sys; sys.path.insert(0, {str(folder / 'src')!r}); "
    program += "from dermaug.cli import main; main()"
    words = ["run", "recipes.toml", "--data", "data", "--output", "run", "--device", "cpu"]
    words += ["--launcher", "serial"]  # workers import the package once more
    ended = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=folder, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return folder / "run"


def trial(run: Path, arm: str, seed: int = 0) -> tuple[TrialRecord, pd.DataFrame]:
    """The record of a trial, and its predictions on test."""
    job = RunFolder(run).job(f"classifiers/{arm}/fridadar/fold0-seed{seed}")
    table = read_predictions(job.predictions, CLASSES)
    return TrialRecord.read(job.record), table[table["part"] == "test"]


def added(run: Path, arm: str) -> dict[str, int]:
    return {label: count.synthetic for label, count in trial(run, arm)[0].train_counts.items()}


@pytest.mark.slow
def test_the_layout_is_read(run: Path) -> None:
    _, table = trial(run, "real")
    assert set(table["label"]) == set(CLASSES)
    assert all(
        name.startswith(label)
        for name, label in zip(table["image_id"], table["label"], strict=True)
    )


@pytest.mark.slow
def test_the_family_trains_and_its_images_are_taken(run: Path) -> None:
    assert RunFolder(run).job("generators/mean/fold0-seed0/all").generator.exists()
    assert added(run, "mean") == dict.fromkeys(CLASSES, 6)


@pytest.mark.slow
def test_the_filler_fills_the_dose(run: Path) -> None:
    assert added(run, "blend") == dict.fromkeys(CLASSES, 6)


def sureness(run: Path, arm: str, seed: int) -> float:
    record, table = trial(run, arm, seed)
    prior = prior_array(record.prior, CLASSES)
    even = prior_adjusted(probabilities_of(table, CLASSES), prior)
    labels = table["label"].to_numpy()
    return float(np.mean([even[labels == label, k].mean() for k, label in enumerate(CLASSES)]))


@pytest.mark.slow
def test_the_metric_has_value_interval_verdict_and_place_in_the_report(run: Path) -> None:
    verdicts = pd.read_csv(run / "scoring/verdicts.csv").set_index(["arm", "metric", "scope"])
    row = verdicts.loc["blend", "macro_sureness", "all"]
    differences = [sureness(run, "blend", seed) - sureness(run, "real", seed) for seed in (0, 1)]
    assert row["difference"] == pytest.approx(np.mean(differences), abs=1e-6)
    assert row["low"] < row["difference"] < row["high"]
    assert row["verdict"] == "exploratory"
    assert "macro sureness" in row["sentence"]
    for label in CLASSES:
        assert verdicts.loc["blend", "sureness", label]["low"] < 1.0
    assert "Macro sureness" in (run / "report.html").read_text(encoding="utf-8")
