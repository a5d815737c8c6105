"""`import dermaug`: a few documented functions, imported when they are used."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import dermaug
from dermaug.errors import DermaugError
from dermaug.files import read_json
from dermaug.generators.generator_training import train_generator
from dermaug.generators.state import GeneratorTask
from dermaug.synthesis.png_folder import generate_folder
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.fabric import start_fabric


def test_importing_it_imports_nothing_heavy() -> None:
    program = (
        "import sys, dermaug\n"
        "print([name for name in ('torch', 'pandas', 'numpy', 'pydantic') if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


def test_every_function_is_documented_and_typed() -> None:
    stub = Path(str(dermaug.__file__)).with_suffix(".pyi").read_text(encoding="utf-8")
    for name in dermaug.__all__:
        function = getattr(dermaug, name)
        assert inspect.getdoc(function)
        assert inspect.signature(function).return_annotation is not inspect.Signature.empty
        assert f"import {name} as {name}" in stub
        assert name in dir(dermaug)
    assert Path(str(dermaug.__file__)).with_name("py.typed").is_file()
    with pytest.raises(AttributeError, match="no attribute 'traim'"):
        dermaug.traim  # noqa: B018


def test_data_are_opened_at_the_size_and_with_the_classes_asked_for(tmp_path: Path) -> None:
    from dermaug.config import PhantomConfig
    from dermaug.data.sources.phantom import write_phantoms

    write_phantoms(tmp_path / "phantoms", PhantomConfig(number=42, balanced=True), 32)
    store = dermaug.open_data(tmp_path / "phantoms", size=16, classes=("mel", "nv"))
    assert store.images.shape == (len(store.catalog), 16, 16, 3)
    assert set(store.catalog.table["label"]) == {"mel", "nv"}


def test_a_table_with_other_columns_is_opened_by_their_names(tmp_path: Path) -> None:
    rows = []
    for place in range(4):
        Image.new("RGB", (20, 20), (40 * place, 90, 90)).save(tmp_path / f"{place}.png")
        rows.append(f"{place}.png,{'wart' if place % 2 else 'naevus'},P{place // 2}")
    (tmp_path / "list.csv").write_text("\n".join(["Photo,Finding,Case", *rows]))
    named = {"file_name": "Photo", "label": "Finding", "patient_id": "Case"}
    table = dermaug.open_data(tmp_path, size=16, columns=named).catalog.table
    assert sorted(table["label"]) == ["naevus", "naevus", "wart", "wart"]
    assert sorted(table["patient_id"]) == ["P0", "P0", "P1", "P1"]
    with pytest.raises(DermaugError, match=r"expected file_name, label.* found photo"):
        dermaug.open_data(tmp_path, columns={"photo": "Photo"})


def test_images_are_those_of_the_command(
    generator_task: Callable[..., GeneratorTask], tmp_path: Path
) -> None:
    train_generator(generator_task(tmp_path / "trained"), start_fabric("cpu"))
    images = dermaug.generate(tmp_path / "trained", "discs", number=5, seed=3)
    checkpoint = tmp_path / "trained/generator.safetensors"
    generate_folder(checkpoint, "discs", 5, 3, tmp_path / "set", start_fabric("cpu").device)
    assert (images == np.asarray(read_synthetic_set(tmp_path / "set").images)).all()
    assert read_json(tmp_path / "set/manifest.json")["number"] == 5
    with pytest.raises(DermaugError, match="expected a class it was trained on"):
        dermaug.generate(tmp_path / "trained", "mel")
