"""Exported networks: they load, agree with torch, and their cards say what is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn import drawn_catalog, drawn_folds, drawn_trial, trial_record
from PIL import ExifTags, Image
from sklearn.metrics import roc_auc_score

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.model import load_classifier
from dermaug.classifiers.trial_steps import ClassifierTask
from dermaug.config import Arm, ClassifierConfig
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import write_predictions
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.stages.predict_files import predict_files
from dermaug.export.hub import check_name
from dermaug.export.licences import is_dermoscopic, skin_words
from dermaug.export.measured import measure
from dermaug.export.models import export_classifier, export_generator
from dermaug.export.onnx_file import Graph, write_onnx
from dermaug.files import read_json, sha256
from dermaug.generators import FAMILIES
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec, load_generator, save_generator
from dermaug.generators.state import GeneratorTask
from dermaug.training.fabric import start_fabric
from dermaug.training.file_names import CLASSIFIER, GENERATOR

CPU = torch.device("cpu")


def session(path: Path) -> object:
    onnx = pytest.importorskip("onnxruntime", reason="NOT TESTED: no onnxruntime")
    return onnx.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_a_classifier_loads_and_its_onnx_file_agrees_for_any_batch(
    classifier_task: Callable[..., ClassifierTask], tmp_path: Path
) -> None:
    task = classifier_task(tmp_path / "trial", images=16, validations=1)
    train_classifier(task, start_fabric("cpu"))
    export_classifier(tmp_path / "trial", tmp_path / "out")
    classifier, spec = load_classifier(str(tmp_path / "out" / CLASSIFIER))
    assert spec.classes == task.classes
    assert read_json(tmp_path / "out/config.json")["classes"] == list(task.classes)
    for batch in (1, 7):
        images = torch.rand(batch, 3, spec.size, spec.size)
        with torch.inference_mode():
            expected = classifier(images).numpy()
        opened = session(tmp_path / "out/classifier.onnx")
        (found,) = opened.run(None, {"images": images.numpy()})  # type: ignore[attr-defined]
        assert np.abs(found - expected).max() < 1e-4
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "**Not known:**" in card
    assert "Not a medical device" in card
    assert "dermoscopic" not in card
    assert "HAM10000" not in card


@pytest.mark.parametrize(("views", "extent"), [(1, (90, 71)), (6, (20, 24))], ids=["one", "six"])
def test_the_lines_of_a_card_give_the_probabilities_of_predict(
    classifier_task: Callable[..., ClassifierTask],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    views: int,
    extent: tuple[int, int],
) -> None:
    """Also of a photograph that lies on its side, and of one smaller than the network's images."""
    train_classifier(
        classifier_task(tmp_path / "trial", images=16, validations=1, views=views),
        start_fabric("cpu"),
    )
    export_classifier(tmp_path / "trial", tmp_path / "out", onnx=False)
    pixels = np.random.default_rng(0).integers(0, 256, (*extent, 3), dtype=np.uint8)
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    Image.fromarray(pixels).save(tmp_path / "out/photograph.jpg", exif=turned)
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path / "out")
    told: dict[str, torch.Tensor] = {}
    exec(card.split("```python\n")[1].split("```")[0], told)
    capsys.readouterr()
    checkpoint = tmp_path / "out" / CLASSIFIER
    (expected,), spec = predict_files(checkpoint, [Path("photograph.jpg")], start_fabric("cpu"))
    assert told["images"].shape == (1, 3, spec.size, spec.size)
    assert np.abs(told["probabilities"].numpy()[0] - expected).max() < 1e-6


def test_a_card_says_only_what_is_known_of_the_data() -> None:
    assert "dermoscopic" not in skin_words("our clinic")
    assert "HAM10000" not in skin_words("our clinic")
    assert "HAM10000 holds hardly any skin" in skin_words("HAM10000")
    assert [is_dermoscopic(name) for name in ("HAM10000", "our clinic", "")] == [True, False, False]


def test_a_generator_loads_and_its_onnx_file_agrees(
    generator_task: Callable[..., GeneratorTask], tmp_path: Path
) -> None:
    train_generator(generator_task(tmp_path / "trained"), start_fabric("cpu"))
    export_generator(tmp_path / "trained", tmp_path / "out")
    sampler, spec = load_generator(tmp_path / "out" / GENERATOR, CPU)
    latents = sampler.draw_latents(7, torch.Generator().manual_seed(3))
    labels = torch.zeros(7, dtype=torch.int64)
    with torch.inference_mode():
        expected = sampler(latents, labels).numpy()
    given = {"latents": latents.numpy(), "labels": labels.numpy()}
    opened = session(tmp_path / "out/generator.onnx")
    (found,) = opened.run(None, given)  # type: ignore[attr-defined]
    assert np.abs(found - expected).max() < 1e-4
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "**Not audited.**" in card
    assert f"trained with [dermaug] on {len(spec.training_images)} images" in card


@pytest.mark.parametrize("options", [{"steps": 3}, {"solver": "euler", "guidance": 1.5}], ids=str)
def test_the_card_of_a_flow_draws_its_images_without_torch(
    generator_task: Callable[..., GeneratorTask],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, object],
) -> None:
    pytest.importorskip("onnxruntime", reason="NOT TESTED: no onnxruntime")
    task = generator_task(tmp_path, width=8)
    config = task.spec.config.model_copy(update={"family": "flow", "options": options})
    spec = replace(task.spec, config=config)
    sampler = FAMILIES["flow"](config, spec.size, len(spec.classes)).sampler.eval()
    with torch.no_grad():  # what is zero in an untrained network would hide a difference
        for weights in sampler.parameters():
            weights.add_(0.05 * torch.randn(weights.shape, generator=torch.Generator()))
    save_generator(tmp_path / "trained" / GENERATOR, sampler, spec)
    export_generator(tmp_path / "trained", tmp_path / "out")
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    drawing = card.split("```python\n")[2].split("```")[0]
    monkeypatch.chdir(tmp_path / "out")
    for number in (1, 7):
        told: dict[str, np.ndarray] = {}
        exec(drawing.replace("number, label, steps = 7", f"number, label, steps = {number}"), told)
        latents = torch.from_numpy(told["noise"]).flatten(1)
        with torch.inference_mode():
            expected = sampler(latents, torch.zeros(number, dtype=torch.int64)).numpy()
        assert told["images"].shape == (number, 3, spec.size, spec.size)
        assert np.abs(told["images"] - expected).max() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_generators_of_every_family_become_onnx(
    generator_task: Callable[..., GeneratorTask], tmp_path: Path, family: str
) -> None:
    task = generator_task(tmp_path, width=8)
    config = task.spec.config.model_copy(update={"family": family})
    spec: GeneratorSpec = replace(task.spec, config=config)
    sampler = FAMILIES[family](config, spec.size, 1).sampler

    def inputs(batch: int) -> dict[str, torch.Tensor]:
        latents = sampler.draw_latents(batch, torch.Generator().manual_seed(batch))
        return sampler.inputs(latents, torch.zeros(batch, dtype=torch.int64))

    graph = Graph(sampler.evaluated(), inputs, sampler.output)
    assert write_onnx(tmp_path / "x.onnx", graph) < 1e-4


def test_the_scores_of_a_card_are_those_of_the_test_split(tmp_path: Path) -> None:
    catalog = drawn_catalog(tmp_path, ("mel", "nv"), 24)
    fold, arm, config = drawn_folds(catalog, 2)[0], Arm(name="real"), ClassifierConfig()
    trial = drawn_trial(tmp_path, catalog, fold, arm, config, 0, 1.5)
    path = JobFolder(tmp_path).predictions
    write_predictions(path, trial.predictions, catalog.classes)
    told = {"classes": catalog.classes, "predictions": {path.name: sha256(path)}}
    found = measure(tmp_path, trial_record(arm, config, fold, **told))
    assert found is not None
    test = trial.predictions.query("part == 'test'")
    assert found.images == len(test)
    assert found.groups == test["group"].nunique()
    named = np.where(test["p_mel"] > 0.5, "mel", "nv")  # the prior of the record is even
    table = found.table.set_index(["scope", "metric"])
    mel = (named == "mel")[test["label"] == "mel"].mean()
    assert table.loc[("mel", "sensitivity"), "value"] == pytest.approx(mel)
    assert table.loc[("nv", "specificity"), "value"] == pytest.approx(mel)
    labels, scores = test["label"] == "mel", test["p_mel"]
    assert table.loc[("mel", "AUC"), "value"] == pytest.approx(roc_auc_score(labels, scores))
    assert (table["low"].isna() | (table["low"] < table["high"])).all()
    assert measure(tmp_path / "absent", trial_record(arm, config, fold)) is None


@pytest.mark.parametrize("name", ["melanomas", "me/", "/x", "a b/c", "me/x/y"])
def test_a_name_that_is_no_repository_is_refused(name: str) -> None:
    with pytest.raises(DermaugError, match="expected owner/name"):
        check_name(name)
