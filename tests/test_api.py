"""`import dermaug`: a few documented functions, imported when they are used."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    assert (dermaug.generate(tmp_path / "trained", "discs", 5, np.int64(3)) == images).all()
    with pytest.raises(DermaugError, match="expected a class it was trained on"):
        dermaug.generate(tmp_path / "trained", "mel")


WRONG: list[tuple[str, dict[str, object], str]] = [
    ("generate", {"number": 0}, "number: Input should be greater than or equal to 1; found 0"),
    ("generate", {"number": 10**9}, "number: Input should be less than or equal to 1000000"),
    ("generate", {"number": 2.5}, "number: Input should be a valid integer; found 2.5"),
    ("generate", {"number": "3"}, "number: Input should be a valid integer; found '3'"),
    ("generate", {"number": None}, "number: Input should be a valid integer; found None"),
    ("generate", {"seed": -1}, "seed: Input should be greater than or equal to 0"),
    ("generate", {"seed": 2.5}, "seed: Input should be a valid integer"),
    ("generate", {"seed": "0"}, "seed: Input should be a valid integer"),
    ("generate", {"seed": None}, "seed: Input should be a valid integer"),
    ("generate", {"seed": True}, "seed: Input should be a valid integer"),
    ("generate", {"seed": 10**5000}, "seed: Input should be less than or equal to"),
    ("generate", {"label": None}, "label: Input should be a valid string; found None"),
    ("generate", {"device": None}, "device: Input should be a valid string; found None"),
    ("generate", {"generator": None}, "generator: expected a path"),
    ("generate", {"generator": b"x"}, "generator: expected a path"),
    ("generate", {"generator": "a\0b"}, "found a null character"),
    ("open_data", {"size": 15}, "size: Input should be greater than or equal to 16; found 15"),
    ("open_data", {"size": 2000}, "size: Input should be less than or equal to 1024"),
    ("open_data", {"size": "32"}, "size: Input should be a valid integer"),
    ("open_data", {"size": None}, "size: Input should be a valid integer"),
    ("open_data", {"source": ""}, "source: String should have at least 1 character"),
    ("open_data", {"source": None}, "source: expected a path"),
    ("open_data", {"source": "\0"}, "found a null character"),
    ("open_data", {"classes": None}, "classes: expected a Sequence, found None"),
    ("open_data", {"classes": "mel"}, "classes: 'str' instances are not allowed"),
    ("open_data", {"classes": [None]}, "classes.0: Input should be a valid string"),
    ("open_data", {"columns": {"label": 5}}, "columns.label: Input should be a valid string"),
    ("open_data", {"columns": {"label": None}}, "columns.label: Input should be a valid string"),
    ("open_data", {"columns": [("a", "b")]}, "columns: Input should be a table of keys and values"),
    ("train", {"experiment": None}, "experiment: expected a path"),
    ("train", {"experiment": "a\0b"}, "no experiment"),
    ("train", {"experiment": "a\0b.toml"}, "not a readable TOML file"),
    ("train", {"output": 5}, "output: expected a path, as text or pathlib.Path; found 5"),
    ("train", {"settings": None}, "settings: expected a Sequence, found None"),
    ("train", {"settings": "seeds=[0]"}, "settings: 'str' instances are not allowed"),
    ("train", {"settings": [5]}, "settings.0: Input should be a valid string; found 5"),
    ("train", {"precision": None}, "precision: Input should be a valid string"),
    ("audit", {"data": None}, "data: expected a path"),
    ("audit", {"model": 5}, "model: expected a path"),
]
RIGHT: dict[str, dict[str, object]] = {
    "generate": {"generator": "absent", "label": "mel"},
    "open_data": {"source": "absent"},
    "train": {"experiment": "quickstart", "output": "absent"},
    "audit": {"synthetic": "absent", "data": "absent", "model": "absent"},
}


@pytest.mark.parametrize(
    ("name", "given", "message"),
    WRONG,
    ids=[f"{name} {next(iter(given))}" for name, given, _ in WRONG],
)
def test_wrong_arguments_are_refused_in_words(
    name: str, given: dict[str, object], message: str
) -> None:
    with pytest.raises(DermaugError) as caught:
        getattr(dermaug, name)(**(RIGHT[name] | given))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ((), "expected the folders of one or more runs, found none"),
        ((None,), "runs.0: expected a path"),
        (("absent", ["absent"]), "runs.1: expected a path"),
        (("absent",), "absent is not a run of dermaug"),
    ],
)
def test_what_are_no_runs_are_not_compared(runs: tuple[Any, ...], message: str) -> None:
    with pytest.raises(DermaugError) as caught:
        dermaug.compare(*runs)
    assert message in str(caught.value)


def test_a_call_that_does_not_fit_the_signature_is_an_error_of_the_program() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'numbr'"):
        dermaug.generate("absent", "mel", numbr=3)


@pytest.mark.parametrize("kept", ["HAM10000_metadata.csv", "report.html/mine.txt"])
def test_no_study_is_written_among_other_files(tmp_path: Path, kept: str) -> None:
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).write_text("mine")
    with pytest.raises(DermaugError, match="expected a new or empty folder, or a run of dermaug"):
        dermaug.train("quickstart", tmp_path, device="cpu")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / kept]


def test_networks_are_proven_before_a_study_begins(tmp_path: Path) -> None:
    with pytest.raises(DermaugError, match="resnet1"):
        dermaug.train("quickstart", tmp_path / "run", ["classifiers.0.model=resnet1"], device="cpu")
    assert not (tmp_path / "run").exists()
