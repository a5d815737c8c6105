"""The tutorial notebook runs from a bare folder, and the site shows it with its results."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs/tutorial.ipynb"


def cells() -> list[dict[str, Any]]:
    told = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (told["nbformat"], told["nbformat_minor"]) == (4, 5)
    return list(told["cells"])


@pytest.mark.slow
def test_the_cells_run_in_order_from_a_bare_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    told: dict[str, Any] = {}
    for cell in cells():
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), told)
            plt.close("all")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert told["drawn"].shape == (8, 32, 32, 3)
    assert told["drawn"].std(axis=0).mean() > 1  # not one image over and over
    assert list(told["audit"]["label"]) == ["mel"]
    assert {"classic", "classic+synthetic-replay"} == set(told["verdicts"]["reference"])
    assert np.isfinite(told["verdicts"]["difference"]).all()
    assert (told["run"] / "report.html").is_file()


def test_it_was_saved_after_it_had_run_from_top_to_bottom() -> None:
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert len({cell["id"] for cell in cells()}) == len(cells())
    shown = [output["output_type"] for cell in code for output in cell["outputs"]]
    assert shown.count("stream") >= 4
    assert shown.count("display_data") == 2
    assert "error" not in shown
