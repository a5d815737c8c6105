"""`dermaug audit`: quality and privacy of one set of synthetic images."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Device, Json, Labels, LeaveOut, asked_labels
from dermaug.console import console
from dermaug.errors import DermaugError

if TYPE_CHECKING:
    import torch

    from dermaug.experiment.run.artefacts import StoredClassifier
    from dermaug.experiment.stages.judges import Judge
    from dermaug.inspection.audit_folder import FolderAudit

SHOWN = (
    *("label", "images", "validation_images", "kid", "kid_low", "kid_high", "kid_floor"),
    *("fid", "fid_flag", "precision", "recall", "density", "coverage"),
    *("copy_rate", "copy_low", "copy_high", "copy_expected", "visible_share"),
)


Synthetic = Annotated[Path, typer.Argument(metavar="SYNTHETIC", help="Synthetic images.")]
Real = Annotated[Path, typer.Option("--data", help="Data set of real images to compare with.")]
Model = Annotated[
    Path | None, typer.Option(help="Classifier (or its folder) that provides the features.")
]
Backbone = Annotated[str | None, typer.Option(help="timm model that provides the features.")]
Inception = Annotated[
    bool, typer.Option("--inception", help="Use Inception features (requires the extra fidelity).")
]
Weights = Annotated[Path | None, typer.Option(help="Weight file for the backbone or Inception.")]
Layers = Annotated[
    list[str] | None, typer.Option(help="Layer of the backbone, for example blocks.3; repeatable.")
]
Options = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Argument of the timm model.")
]
Missing = Annotated[
    list[str] | None, typer.Option(help="Key that may be missing from the weight file; repeatable.")
]
Size = Annotated[int | None, typer.Option(min=16, max=1024, help="Image size in pixels.")]
Folder = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder for the page and the tables.")
]


@app.command()
def audit(
    synthetic: Synthetic,
    data: Real,
    model: Model = None,
    backbone: Backbone = None,
    inception: Inception = False,
    weights: Weights = None,
    layer: Layers = None,
    option: Options = None,
    expect_missing: Missing = None,
    size: Size = None,
    output: Folder = None,
    labels: Labels = None,
    leave_out: LeaveOut = None,
    as_json: Json = False,
    device: Device = "auto",
) -> None:
    """Compare synthetic with real images: fidelity, copies, and recognisable classes."""
    if [model is not None, backbone is not None, inception].count(True) != 1:
        raise DermaugError("give exactly one of --model, --backbone and --inception")
    options, wanted = _options(option), asked_labels(labels, leave_out)
    if output is not None:
        from dermaug.files import require_writable

        require_writable(output)
    from dermaug.experiment.stages.judges import backbone_judge, inception_judge
    from dermaug.inspection.audit_folder import audit_folder
    from dermaug.training.fabric import start_fabric

    where = start_fabric(device).device
    stored = None
    if model is not None:
        judge, stored = _classifier(model, where)
    elif backbone is not None:
        layers, missing = tuple(layer or ()), tuple(expect_missing or ())
        judge = backbone_judge(
            backbone, weights, where, options=options, layers=layers, expect_missing=missing
        )
    else:
        judge = inception_judge(weights, where)
    found = audit_folder(synthetic, data, judge, stored=stored, size=size, labels=wanted)
    if output is not None:
        from dermaug.report.sections.audit import write_audit_page

        page = write_audit_page(output, found, str(synthetic), str(data), judge.name)
        console.print(f"audit: {page}")
    _tell(found, as_json)


def _tell(found: "FolderAudit", as_json: bool) -> None:
    """Print what was found: notes and a table, or JSON."""
    if as_json:
        numbers = json.loads(found.audit.numbers.to_json(orient="records"))
        pairs = json.loads(found.audit.pairs.to_json(orient="records"))
        record = {"notes": list(found.notes), "numbers": numbers, "pairs": pairs}
        typer.echo(json.dumps(record, indent=2, ensure_ascii=False))
        return
    for note in found.notes:
        console.print(f"note: {note}", markup=False)
    typer.echo(found.audit.numbers[list(SHOWN)].round(4).T.to_string(header=False))


def _classifier(model: Path, device: "torch.device") -> "tuple[Judge, StoredClassifier]":
    from dermaug.experiment.run.artefacts import only_classifier
    from dermaug.experiment.stages.judges import classifier_judge

    stored = only_classifier(model)
    return classifier_judge(stored.path, device), stored


def _options(given: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE as in JSON: true, 3 and 1e-3 are values, the rest is text."""
    options: dict[str, Any] = {}
    for entry in given or ():
        key, equals, text = entry.partition("=")
        if not equals or not key:
            raise DermaugError(f"--option {entry}: expected KEY=VALUE, for example pad_type=same")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        options[key] = value if isinstance(value, bool | int | float | str) else text
    return options
