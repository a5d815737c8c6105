"""What a clumsy or malicious user may hand over: one message, exit code 2, nothing left behind."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import typer.testing
from begun import open_run
from drawn import trial_record

from dermaug.classifiers.model import ClassifierSpec, build_classifier, save_classifier
from dermaug.cli import app
from dermaug.cli.app import _of_the_system
from dermaug.config import Arm, ClassifierConfig, GeneratorConfig, PhantomConfig
from dermaug.data.sources.phantom import write_phantoms
from dermaug.data.splits import Fold
from dermaug.experiment_file import read_experiment
from dermaug.files import write_sealed
from dermaug.generators import build_family
from dermaug.generators.saved_generator import GeneratorSpec, save_generator
from dermaug.training.checkpoint import checkpoint_digest, load_checkpoint, save_checkpoint

Ended = tuple[int, str]
Run = Callable[..., Ended]
PROGRAM = str(Path(sys.executable).parent / "dermaug")
SMALL = 'name = "small"\n[data]\nsize = 32\n[[classifiers]]\nbatch = 8\n[[arms]]\nname = "real"\n'


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = PhantomConfig(number=70, balanced=True)
    return write_phantoms(tmp_path_factory.mktemp("data") / "phantoms", asked, 32)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained classifier and an untrained generator of `mel` and `nv`."""
    folder = tmp_path_factory.mktemp("checkpoints")
    config, classes = ClassifierConfig(), ("mel", "nv")
    spec = ClassifierSpec.of(config, classes, 32)
    network = build_classifier(config, spec, (0.5,) * 3, (0.25,) * 3)
    save_classifier(folder / "classifier.safetensors", network, spec)
    gan = GeneratorConfig(width=4)
    described = GeneratorSpec(gan, 32, ("mel",), "key", ("one",))
    save_generator(folder / "generator.safetensors", build_family(gan, 32).sampler, described)
    return folder


@pytest.fixture
def dermaug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder; gives its exit code and all it printed."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*words: str | Path) -> Ended:
        ended = typer.testing.CliRunner().invoke(app, [str(word) for word in words])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended.exit_code, ended.output

    return run


def assert_refused(ended: Ended, expected: str) -> None:
    code, output = ended
    assert code == 2
    assert expected in output
    assert output.count("error:") == 1
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"name = " + b"[" * 3000 + b"]" * 3000,
        b"name = " + b"9" * 5000,
        SMALL.encode() + b"\0",
        SMALL.encode("utf-16"),
        SMALL.encode("utf-16-le"),
        b'name = "\xe9"',
    ],
    ids=["deep", "long number", "NUL", "UTF-16", "UTF-16 without a mark", "Latin-1"],
)
def test_experiment_file_that_is_no_toml(dermaug: Run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    assert_refused(dermaug("run", path), "not a readable TOML file")


def test_byte_order_mark_of_an_editor_is_no_fault(
    dermaug: Run, tmp_path: Path, phantoms: Path
) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    refused = dermaug("run", path, "--data", phantoms, "--set", "data.classes=['nx']")
    assert_refused(refused, "no label 'nx'")


def test_experiment_that_is_no_file(dermaug: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    assert_refused(dermaug("run", tmp_path / "pipe.toml"), "expected a TOML file")
    (tmp_path / "folder.toml").mkdir()
    assert_refused(dermaug("run", tmp_path / "folder.toml"), "expected a TOML file")
    odd = dermaug("readers", "make", tmp_path, "--images", "3")
    assert_refused(odd, "--images 3: expected an even number")
    assert_refused(dermaug("run", "a\0b.toml"), "not a readable TOML file")
    assert_refused(dermaug("run", "x" * 5000), "no experiment 'xxx")


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["run", ""], "the word after 'run'"),
        (["run", " "], "the word after 'run'"),
        (["train", "generator", ""], "the word after 'generator'"),
        (["run", "--data", ""], "--data"),
        (["run", "quickstart", "-o", ""], "-o"),
        (["train", "classifier", "--output="], "--output"),
        (["run", "quickstart", "--label-column="], "--label-column"),
        (["data", "check", ""], "the word after 'check'"),
        (["score", "a.csv", ""], "the word after 'a.csv'"),
        (["report", ""], "the word after 'report'"),
        (["runs", ""], "the word after 'runs'"),
        (["compare", "run", ""], "the word after 'run'"),
        (["audit", "set", "--data", ""], "--data"),
    ],
    ids=" ".join,
)
def test_empty_value_is_no_default_and_no_current_folder(
    dermaug: Run, words: list[str], place: str
) -> None:
    assert_refused(dermaug(*words), f"{place}: expected a value, found an empty one")


def test_outputs_replace_no_input(dermaug: Run, phantoms: Path, checkpoints: Path) -> None:
    photograph = next(phantoms.rglob("*.jpg"))
    before = photograph.read_bytes()
    classifier = checkpoints / "classifier.safetensors"
    refused = dermaug("predict", classifier, photograph, "--output", photograph)
    assert_refused(refused, "expected the name of a .csv file")
    refused = dermaug("predict", classifier, photograph, "--output", phantoms)
    assert_refused(refused, "expected the name of a .csv file, found a folder")
    assert photograph.read_bytes() == before
    refused = dermaug("data", "summary", phantoms, "--output", phantoms)
    assert_refused(refused, "expected a folder outside of the images")
    code, _ = dermaug("predict", classifier, photograph, "--output", "found.csv")
    assert code == 0
    code, _ = dermaug("predict", classifier, photograph, "--output", "found.csv")
    assert code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["data", "phantom", "new", "--seed", "9" * 23], "seed: Input should be less than"),
        (["data", "check", "x" * 5000], "source: String should have at most 4096"),
        (["data", "summary", "x" * 5000], "source: String should have at most 4096"),
    ],
    ids=["seed", "check", "summary"],
)
def test_values_out_of_range_are_named(dermaug: Run, words: list[str], told: str) -> None:
    assert_refused(dermaug(*words), told)


def test_a_summary_is_drawn_again_over_its_own_pictures_only(dermaug: Run, phantoms: Path) -> None:
    for _ in range(2):
        code, output = dermaug("data", "summary", phantoms, "--size", 16, "--output", "pictures")
        assert code == 0, output
    Path("pictures/overview.png").write_bytes(b"mine")
    code, output = dermaug("data", "summary", phantoms, "--output", "pictures")
    assert code == 2
    assert "of something else, which would be overwritten" in output


@pytest.mark.parametrize("data", ["x" * 5000, "~nobody-of-that-name/x", "nowhere"])
def test_data_path_that_cannot_be_one(dermaug: Run, data: str) -> None:
    expected = "no user of that name" if data.startswith("~") else "expected a data set"
    assert_refused(dermaug("run", "--data", data), expected)


def test_data_given_twice(dermaug: Run, phantoms: Path) -> None:
    words = ["run", "--data", phantoms, "--set", "data.source=phantom"]
    assert_refused(dermaug(*words), "exclude each other")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ('data.size=32\nname = "other"', "one value"),
        ("seeds=" + "[" * 3000 + "]" * 3000, "not a valid TOML value"),
        ("data.size=" + "9" * 5000, "not a valid TOML value"),
    ],
    ids=["two lines", "deep", "long number"],
)
def test_setting_that_is_no_value(dermaug: Run, setting: str, expected: str) -> None:
    assert_refused(dermaug("run", "--set", setting), expected)


def test_one_fault_in_a_list_is_one_line(dermaug: Run) -> None:
    code, output = dermaug("run", "--set", "classifiers.0.batch=1")
    assert (code, output.count("\n")) == (2, 2)
    assert "1 error in the experiment" in output


def test_missing_key_is_named(dermaug: Run, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("")
    assert_refused(dermaug("run", tmp_path / "x.toml"), "name: required, but missing")


def test_names_come_out_as_they_are_and_cannot_steer_the_terminal(
    dermaug: Run, tmp_path: Path, phantoms: Path
) -> None:
    for name in ("[red]", "[", "x\x1b[31m"):
        code, output = dermaug("data", "phantom", tmp_path / name, "--number", 42, "--size", 16)
        assert code == 0
        assert name.replace("\x1b", "\\x1b") in output.replace("\n", "")
    _, output = dermaug("data", "check", tmp_path / "\x1b[31m")
    assert "\x1b" not in output
    assert "\\x1b[31m" in output


@pytest.mark.parametrize("words", [("run",), ("train", "generator"), ("train", "classifier")])
def test_no_run_is_begun_among_other_files(
    dermaug: Run, phantoms: Path, words: tuple[str, ...]
) -> None:
    before = sorted(phantoms.rglob("*"))
    assert_refused(dermaug(*words, "--output", phantoms), "found no experiment.json")
    assert sorted(phantoms.rglob("*")) == before


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["classifiers.0.model=resnet1888"], "unknown model"),
        (["classifiers.0.model=resnet18.nope"], "cannot build resnet18.nope"),
        (["classifiers.0.model=resnet18", "classifiers.0.options={bogus=1}"], "bogus"),
        (["classifiers.0.model=resnet18", "classifiers.0.weights=nowhere.pth"], "no weight file"),
        (
            ["classifiers.0.model=vit_tiny_patch16_224"],
            "images of 32 px (it takes 224 px)",
        ),
        (["data.external_test=['nowhere']"], "data.external_test nowhere: expected a data set"),
        (["arms.0.synthetic={folder='nowhere', dose=1}"], "synthetic.folder nowhere: expected"),
        (["data.size=16"], "fridadar needs images of at least 22 pixels"),
        (["data.size=50", "generators=[{}]"], "data.size is 50"),
        (["data.size=1024", "generators=[{width=4096, latent=1}]"], "out of memory"),
        (["data.size=1024", "classifiers.0.batch=65536"], "for a batch of 65,536 images of 1024"),
    ],
    ids=lambda part: part[0] if isinstance(part, list) else None,
)
def test_network_that_cannot_be_is_told_before_anything_is_written(
    dermaug: Run, tmp_path: Path, phantoms: Path, settings: list[str], expected: str
) -> None:
    (tmp_path / "x.toml").write_text(SMALL)
    words = [word for setting in settings for word in ("--set", setting)]
    for mode in ([], ["--dry-run"]):
        ended = dermaug("run", tmp_path / "x.toml", "--data", phantoms, *words, *mode)
        assert_refused(ended, expected)


@pytest.mark.parametrize("words", [("--device", "tpu"), ("--precision", "64")])
def test_wrong_device_leaves_no_run_behind(
    dermaug: Run, phantoms: Path, words: tuple[str, str]
) -> None:
    assert_refused(dermaug("run", "--data", phantoms, *words), " ".join(words))


def tampered(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A checkpoint whose content was changed and sealed again."""
    state = load_checkpoint(source)
    change(state)
    save_checkpoint(target, state)
    return target


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state["spec"].update(size=64),
        lambda state: state["spec"].update(size=20_000),
        lambda state: state["weights"].update(mean=torch.tensor(1.0)),
        lambda state: state["spec"].update(model="resnet18"),
        lambda state: state["spec"].update(extra=1),
        lambda state: state["spec"].update(classes=5),
        lambda state: state["spec"].update(classes=["only"]),
        lambda state: state["spec"].update(classes=[1.5, None]),
        lambda state: state["spec"].update(margin="wide"),
        lambda state: state["spec"].pop("size"),
        lambda state: state.pop("weights"),
        lambda state: state["weights"].pop("network.head.weight"),
    ],
    ids=[
        "size",
        "huge",
        "mean",
        "model",
        "extra",
        "classes",
        "fewer classes",
        "no names",
        "no margin",
        "no size",
        "no weights",
        "no head",
    ],
)
def test_classifier_of_another_making_is_refused(
    dermaug: Run, tmp_path: Path, phantoms: Path, checkpoints: Path, change: Callable[..., object]
) -> None:
    path = tampered(checkpoints / "classifier.safetensors", tmp_path / "c.safetensors", change)
    image = min(phantoms.rglob("*.jpg"))
    assert_refused(dermaug("predict", path, image), f"{path}: expected a classifier")


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state["spec"].update(size=64),
        lambda state: state["spec"]["config"].update(width=8),
        lambda state: state["spec"]["config"].update(nothing=1),
        lambda state: state["spec"].pop("classes"),
        lambda state: state["spec"].update(fold_key=-0.0),
        lambda state: state["spec"]["training_images"].append(True),
        lambda state: state["spec"].update(validation_images=[1]),
        lambda state: state.update(spec=3),
    ],
    ids=["size", "width", "key", "no classes", "fold", "ids", "other ids", "no table"],
)
def test_generator_of_another_making_is_refused(
    dermaug: Run, tmp_path: Path, checkpoints: Path, change: Callable[..., object]
) -> None:
    path = tampered(checkpoints / "generator.safetensors", tmp_path / "g.safetensors", change)
    words = ["generate", path, "--class", "mel", "--output", "drawn"]
    code, output = dermaug(*words)
    assert (code, list(Path.cwd().iterdir())) == (2, [])
    assert f"{path}: expected a generator" in output


def test_synthetic_images_do_not_replace_what_is_there(
    dermaug: Run, tmp_path: Path, checkpoints: Path
) -> None:
    words = ["generate", checkpoints / "generator.safetensors", "--class", "mel", "--number", 2]
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    for output in (".", link, checkpoints, "x" * 300):
        code, told = dermaug(*words, "--output", output)
        assert (code, list(Path.cwd().iterdir())) == (2, [])
        assert "expected a new or empty folder" in told
    assert dermaug(*words, "--output", "drawn")[0] == 0
    assert len(list(Path("drawn/images").iterdir())) == 2


@pytest.mark.parametrize("size", ["0", "-3", "1000000"])
def test_size_of_a_summary_has_bounds(dermaug: Run, phantoms: Path, size: str) -> None:
    code, output = dermaug("data", "summary", phantoms, "--size", size)
    assert (code, list(Path.cwd().iterdir())) == (2, [])
    assert "--size" in output


def test_full_disk_is_one_message_and_leaves_nothing(tmp_path: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    words = [PROGRAM, "data", "phantom", "drawn", "--number", "42", "--size", "64"]
    ended = subprocess.run(
        words,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=no_large_files,
    )
    assert ended.returncode == 2
    assert "a file that was being written became larger than this system allows" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_memory_that_does_not_suffice_is_said() -> None:
    with pytest.raises(MemoryError) as caught:
        np.ones((1 << 50,))
    told = _of_the_system(caught.value)
    assert told is not None
    assert "out of memory" in told.message
    with pytest.raises(RuntimeError) as torchs:
        torch.ones(1 << 50)
    assert _of_the_system(torchs.value) is not None
    assert _of_the_system(RuntimeError("a fault of the program")) is None


def test_a_link_that_leads_in_a_circle_is_said(dermaug: Run, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for words in (("predict", tmp_path / "loop", tmp_path), ("explore", tmp_path / "loop" / "x")):
        code, output = dermaug(*words)
        assert code == 2
        assert "Traceback" not in output


@pytest.mark.slow
def test_closed_pipe_ends_quietly(phantoms: Path, checkpoints: Path) -> None:
    image = min(phantoms.rglob("*.jpg"))
    words = [PROGRAM, "predict", str(checkpoints), str(image), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.close()
        assert started.stderr is not None
        told = started.stderr.read()
    assert b"Traceback" not in told


def test_predictions_of_a_folder_are_written_with_what_was_skipped_in_json(
    dermaug: Run, tmp_path: Path, phantoms: Path, checkpoints: Path
) -> None:
    folder, table = tmp_path / "folder", tmp_path / "predictions.csv"
    folder.mkdir()
    for image in sorted(phantoms.rglob("*.jpg"))[:3]:
        shutil.copy(image, folder)
    (folder / "notes.txt").write_text("no image")
    code, output = dermaug("predict", checkpoints, folder, "--output", table, "--json")
    assert code == 0
    found = json.loads(output[output.index("{") : output.rindex("}") + 1])
    assert [Path(each["file"]).name for each in found["skipped"]] == ["notes.txt"]
    assert "for research only, not for diagnosis; the probabilities are not calibrated" in output
    written = pd.read_csv(table)
    assert written["file"].tolist() == [each["file"] for each in found["predictions"]]
    assert written["label"].tolist() == [each["label"] for each in found["predictions"]]
    assert np.allclose(written[["mel", "nv"]].sum(axis=1), 1.0, atol=1e-5)
    assert "e-" not in table.read_text().partition("\n")[2].replace(str(folder), "")


def test_file_name_that_is_no_utf8_is_predicted(
    dermaug: Run, tmp_path: Path, phantoms: Path, checkpoints: Path
) -> None:
    odd = tmp_path / os.fsdecode(b"\xff[red].jpg")
    shutil.copy(min(phantoms.rglob("*.jpg")), odd)
    code, output = dermaug("predict", checkpoints, odd, "--json")
    assert code == 0
    (answer,) = json.loads(output[: output.rindex("}") + 1])["predictions"]
    assert answer["file"] == str(odd)
    assert sorted(answer["probabilities"]) == ["mel", "nv"]
    assert dermaug("predict", checkpoints, odd)[0] == 0


def record_of(checkpoint: Path) -> dict[str, Any]:
    """What a run writes beside a classifier."""
    arm, fold = Arm(name="real"), Fold(0, ("one",), ("two",), ("three",))
    record = trial_record(arm, ClassifierConfig(), fold, digest=checkpoint_digest(checkpoint))
    return record.model_dump(mode="json")


@pytest.fixture
def two_classes(tmp_path: Path, phantoms: Path) -> Path:
    """Images of the two classes that the untrained classifier knows."""
    table = pd.read_csv(next(phantoms.glob("*metadata.csv")), dtype=str)
    for label in ("mel", "nv"):
        (tmp_path / "two" / label).mkdir(parents=True)
        for name in table.loc[table["dx"] == label, "image_id"]:
            (image,) = phantoms.glob(f"*/{name}.jpg")
            shutil.copy(image, tmp_path / "two" / label)
    return tmp_path / "two"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("[1]", "expected a JSON object"),
        ("{", "not valid JSON"),
        ("{}", "expected the content that dermaug wrote"),
        ({"data": {"bogus": 1}}, "data.bogus"),
        ({"arm": "real"}, "arm: Input should be"),
        ({"training_images": []}, "training_images: "),
        ({"training_images": "one"}, "training_images: "),
        ({"training_images": [1]}, "training_images.0: "),
        ({"training_lesions": []}, "training_lesions: Extra inputs"),
        ({"digest": "0" * 64}, "found that of another network"),
    ],
    ids=lambda part: str(part)[:30],
)
def test_manifest_beside_a_classifier_that_was_changed(
    dermaug: Run, tmp_path: Path, two_classes: Path, checkpoints: Path, change: Any, expected: str
) -> None:
    copy = Path(shutil.copy(checkpoints / "classifier.safetensors", tmp_path))
    if isinstance(change, str):
        (tmp_path / "record.json").write_text(change)
    else:
        write_sealed(tmp_path / "record.json", record_of(copy) | change)
    assert_refused(dermaug("evaluate", copy, "--data", two_classes), expected)
    code, output = dermaug("audit", two_classes, "--data", two_classes, "--model", copy)
    assert code == 2
    assert str(tmp_path) in output


def test_classifier_whose_training_images_nobody_knows_is_not_evaluated(
    dermaug: Run, tmp_path: Path, two_classes: Path, checkpoints: Path
) -> None:
    copy = Path(shutil.copy(checkpoints / "classifier.safetensors", tmp_path))
    words = ["evaluate", copy, "--data", two_classes]
    for mode in ([], ["--skip-known"]):
        assert_refused(dermaug(*words, *mode), "without it leakage cannot be excluded")
    audit = ["audit", two_classes, "--data", two_classes, "--model", copy]
    assert_refused(dermaug(*audit), "without it leakage cannot be excluded")
    image = min(two_classes.rglob("*.jpg"))
    assert dermaug("predict", copy, image)[0] == 0  # nothing is claimed of it

    # Names alone tell nothing: what the images looked like, the run remembers.
    write_sealed(tmp_path / "record.json", record_of(copy) | {"training_images": [image.stem]})
    for mode in ([], ["--skip-known"]):
        assert_refused(dermaug(*words, *mode), "copy the whole run folder")


def test_predict_takes_no_classifier_of_several_in_silence(
    dermaug: Run, tmp_path: Path, phantoms: Path, checkpoints: Path
) -> None:
    for name in ("one", "other"):
        trial = tmp_path / "several" / "classifiers" / "real" / name
        trial.mkdir(parents=True)
        shutil.copy(checkpoints / "classifier.safetensors", trial)
        write_sealed(trial / "record.json", record_of(trial / "classifier.safetensors"))
    image = min(phantoms.rglob("*.jpg"))
    ended = dermaug("predict", tmp_path / "several", image)
    assert_refused(ended, "expected one classifier, found 2; name one of them")
    assert str(tmp_path / "several/classifiers/real/other") in ended[1]
    masks = ["predict", checkpoints, image, "--masks", phantoms]
    assert_refused(dermaug(*masks), "this classifier uses central squares")


@pytest.mark.parametrize("source", ["~nobody-of-that-name/x", "''"])
def test_source_that_cannot_be_a_path(dermaug: Run, tmp_path: Path, source: str) -> None:
    (tmp_path / "x.toml").write_text(SMALL)
    words = ["run", tmp_path / "x.toml", "--set", f"data.source={source}"]
    assert_refused(dermaug(*words), "data.source")
    assert_refused(dermaug(*words, "--dry-run"), "data.source")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("train", "generator", "--class", "nx"), "has no generator of label nx; it has 7"),
        (("train", "generator", "--fold", "9"), "has no generator of fold 9; it has 7"),
        (("train", "classifier", "--arm", "nx", "--seed", "3"), "of arm nx and seed 3; it has"),
        (("train", "classifier", "--arm", "added", "--seed", "0"), "has not been trained yet"),
        (("run", "--set", "generators.0.classes=['nx']"), "found 'nx'"),
    ],
    ids=lambda part: part[-1] if isinstance(part, tuple) else None,
)
def test_job_that_is_not_asked_for_leaves_no_run_behind(
    dermaug: Run, tmp_path: Path, phantoms: Path, words: tuple[str, ...], expected: str
) -> None:
    one_fold = SMALL + "[splits]\nrun = [0]\n[[generators]]\nwidth = 4\n"
    one_fold += '[[arms]]\nname = "added"\nsynthetic = { dose = 4 }\n'
    (tmp_path / "x.toml").write_text(one_fold)
    *command, option, value = words
    asked = [*command, tmp_path / "x.toml", "--data", phantoms, option, value]
    if len(words) > 4:
        asked = ["train", "classifier", tmp_path / "x.toml", "--data", phantoms, *words[2:]]
    assert_refused(dermaug(*asked, "--output", "made"), expected)


def test_networks_are_proved_again_for_another_experiment(
    dermaug: Run, tmp_path: Path, phantoms: Path
) -> None:
    (tmp_path / "x.toml").write_text(SMALL)
    open_run(tmp_path / "run", read_experiment(tmp_path / "x.toml", [f"data.source={phantoms}"]))
    words = ("run", tmp_path / "x.toml", "--data", phantoms, "--output", tmp_path / "run")
    changed = ("--set", "classifiers.0.model=vit_tiny_patch16_224")
    for mode in ((), ("--dry-run",)):
        assert_refused(dermaug(*words, *changed, *mode), "it takes 224 px")


def test_run_whose_manifest_was_changed(dermaug: Run, tmp_path: Path, phantoms: Path) -> None:
    folder = tmp_path / "run"
    (tmp_path / "x.toml").write_text(SMALL)
    asked = read_experiment(tmp_path / "x.toml", [f"data.source={phantoms}"])
    open_run(folder, asked)
    sound = json.loads((folder / "run.json").read_text())
    odd = [sound | {"machine": []}, sound | {"data": sound["data"] | {"skipped": []}}]
    for content in ("[]", "{}", '{"data": 3}', *map(json.dumps, odd)):
        (folder / "run.json").write_text(content)
        assert_refused(dermaug("report", folder), "run.json: ")


def test_a_run_lies_outside_of_its_data(dermaug: Run, phantoms: Path) -> None:
    Path("small.toml").write_text(SMALL)
    before = sorted(phantoms.rglob("*"))
    refused = dermaug("run", "small.toml", "--data", phantoms, "--output", phantoms / "run")
    assert refused[0] == 2
    assert "expected a folder outside of the images" in refused[1]
    assert sorted(phantoms.rglob("*")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
@pytest.mark.parametrize(
    "words", [("data", "check"), ("audit",), ("runs",), ("score",), ("report",), ("publish", ".")]
)
def test_names_that_are_not_utf_8_are_told_as_such(
    dermaug: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    folder = tmp_path / os.fsdecode(b"n\xff")
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    for path in (folder, folder / "lost", tmp_path / "link" / "run"):
        assert_refused(dermaug(*words, str(path)), "expected text and paths in UTF-8, found other")
