"""Export a classifier or a generator: weights, configuration, ONNX and a model card."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dermaug.aside import folder_written_aside
from dermaug.classifiers.model import load_classifier
from dermaug.experiment.run.artefacts import find_generator, only_classifier
from dermaug.experiment.run.layout import JobFolder, run_above
from dermaug.experiment.run.records import GeneratorRecord, RunRecord, TrialRecord
from dermaug.export.cards import CARD, audit_words, card
from dermaug.export.licences import is_dermoscopic, licence_of, skin_words
from dermaug.export.measured import measure
from dermaug.export.onnx_file import Graph, write_onnx
from dermaug.files import write_json
from dermaug.generators.saved_generator import load_generator
from dermaug.inspection.audit_run import read_audit
from dermaug.output_places import require_new_folder

CONFIG = "config.json"


def export_classifier(model: Path, output: Path, *, onnx: bool = True) -> None:
    """Write a classifier: `classifier.safetensors`, `config.json`, `classifier.onnx`, `README.md`.

    Args:
        model: Checkpoint of a classifier, or its folder.
        output: Folder to create.
        onnx: Whether to write the ONNX file, which needs the extra `export`.

    Raises:
        DermaugError: There is no classifier, the output is in use, or ONNX cannot be written.
    """
    checkpoint = only_classifier(model).path
    require_new_folder(output)
    network, spec = load_classifier(checkpoint)
    files = JobFolder(checkpoint.parent)
    record = TrialRecord.read(files.record) if files.record.is_file() else None
    channels = network.mean.shape[1]

    def inputs(batch: int) -> Mapping[str, Tensor]:
        random = torch.Generator().manual_seed(batch)
        return {"images": torch.rand(batch, channels, spec.size, spec.size, generator=random)}

    config: dict[str, Any] = {
        "kind": "classifier",
        "model": spec.model,
        "options": dict(spec.options),
        "classes": list(spec.classes),
        "size": spec.size,
        "crop": spec.crop,
        "views": spec.views,
        "members": spec.members,
        "mean": network.mean.flatten().tolist(),
        "std": network.std.flatten().tolist(),
        "prior": None if record is None else record.prior,
    }
    told = {
        "spec": spec,
        "record": record,
        "measured": None if record is None else measure(files.path, record),
    }
    graph = Graph(network, inputs, "logits") if onnx else None
    _write(output, checkpoint, "image-classification", config, told, graph)


def export_generator(model: Path, output: Path, *, onnx: bool = True) -> None:
    """Write a generator: `generator.safetensors`, `config.json`, `generator.onnx`, `README.md`.

    Args:
        model: Checkpoint of a generator, or its folder.
        output: Folder to create.
        onnx: Whether to write the ONNX file, which needs the extra `export`.

    Raises:
        DermaugError: There is no generator, the output is in use, or ONNX cannot be written.
    """
    checkpoint = find_generator(model)
    require_new_folder(output)
    sampler, spec = load_generator(checkpoint, torch.device("cpu"))
    files = JobFolder(checkpoint.parent)
    record = GeneratorRecord.read(files.record) if files.record.is_file() else None

    def inputs(batch: int) -> Mapping[str, Tensor]:
        latents = sampler.draw_latents(batch, torch.Generator().manual_seed(batch))
        return sampler.inputs(latents, torch.arange(batch) % len(spec.classes))

    config: dict[str, Any] = {
        "kind": "generator",
        "config": spec.config.model_dump(mode="json"),
        "classes": list(spec.classes),
        "size": spec.size,
        "latent": sampler.latent,
        "fold_key": spec.fold_key,
    }
    audit = read_audit(files.path)
    told = {
        "spec": spec,
        "record": record,
        "sampler": sampler,
        "audit": audit_words(None if audit is None else audit.numbers),
    }
    graph = Graph(sampler.evaluated(), inputs, sampler.output) if onnx else None
    _write(output, checkpoint, "unconditional-image-generation", config, told, graph)


def _write(
    output: Path,
    checkpoint: Path,
    task: str,
    config: Mapping[str, Any],
    told: Mapping[str, Any],
    graph: Graph | None,
) -> None:
    """Write weights, configuration, ONNX and card; `task` is the Hub's name of what it does."""
    kind = str(config["kind"])
    with folder_written_aside(output) as aside:
        shutil.copyfile(checkpoint, aside / f"{kind}.safetensors")
        write_json(aside / CONFIG, config)
        written = None if graph is None else write_onnx(aside / f"{kind}.onnx", graph)
        front = {"library_name": "dermaug", "pipeline_tag": task}
        name, run = output.resolve().name, run_above(checkpoint)
        data = RunRecord.read(run.record).data.name if run is not None else ""
        about = {"skin": skin_words(data), "dermoscopic": is_dermoscopic(data)}
        text = card(kind, name, licence_of(data), front, **told, **about, onnx=written)
        (aside / CARD).write_text(text, encoding="utf-8")
