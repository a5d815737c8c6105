"""`dermaug generate`, `dermaug predict` and `dermaug evaluate`: trained networks on images."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.options import Device, Json, Labels, LeaveOut, asked_labels
from dermaug.console import console, progress_bar

if TYPE_CHECKING:
    import pandas as pd


@app.command()
def generate(
    checkpoint: Annotated[
        Path, typer.Argument(help="Checkpoint of a generator, generator.safetensors.")
    ],
    label: Annotated[str, typer.Option("--class", help="Class of the images.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Output folder.")],
    number: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of images.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the latents.")] = 0,
    device: Device = "auto",
) -> None:
    """Generate synthetic images as PNG files with metadata and provenance."""
    from dermaug.synthesis.png_folder import generate_folder
    from dermaug.training.fabric import start_fabric

    with progress_bar(f"drawing {label}", number) as advance:
        generate_folder(
            checkpoint, label, number, seed, output, start_fabric(device).device, advance
        )
    console.print(f"{number:,} synthetic images of {label} written to {output}")


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Checkpoint of a classifier, or its folder.")],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGES...", help="Image files.")],
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of segmentations, for a classifier trained on lesion crops."),
    ] = None,
    as_json: Json = False,
    device: Device = "auto",
) -> None:
    """Predict class probabilities for some images. Not for clinical use."""
    from dermaug.experiment.run.artefacts import only_classifier
    from dermaug.experiment.stages.predict_files import predict_files
    from dermaug.training.fabric import start_fabric

    checkpoint = only_classifier(model).path
    probabilities, spec = predict_files(checkpoint, images, start_fabric(device), masks)
    answers = [
        {
            "file": str(path),
            "label": spec.classes[int(row.argmax())],
            "probabilities": {
                label: round(float(value), 6)
                for label, value in zip(spec.classes, row, strict=True)
            },
        }
        for path, row in zip(images, probabilities, strict=True)
    ]
    if as_json:
        typer.echo(json.dumps(answers, indent=2))
        return
    import pandas as pd

    table = pd.DataFrame(probabilities, columns=list(spec.classes)).round(3)
    table.insert(0, "label", [answer["label"] for answer in answers])
    # A name that is not UTF-8 cannot be printed; here it need only be recognised.
    names = [str(path).encode(errors="replace").decode() for path in images]
    table.insert(0, "file", names)
    typer.echo(table.to_string(index=False))


@app.command()
def evaluate(
    target: Annotated[
        Path, typer.Argument(metavar="RUN_OR_MODEL", help="Folder of a run or of a classifier.")
    ],
    data: Annotated[Path, typer.Option("--data", help="A labelled data set.")],
    as_json: Json = False,
    skip_known: Annotated[
        bool, typer.Option("--skip-known", help="Leave out images the classifier was trained on.")
    ] = False,
    labels: Labels = None,
    leave_out: LeaveOut = None,
    device: Device = "auto",
) -> None:
    """Score trained classifiers on another data set: sensitivity, specificity, AUC."""
    from dermaug.experiment.run.artefacts import find_classifiers
    from dermaug.experiment.stages.predict_external import evaluate as score
    from dermaug.training.fabric import start_fabric

    wanted = asked_labels(labels, leave_out)
    found = find_classifiers(target)
    scores, class_scores = score(
        found, data, start_fabric(device), skip_known=skip_known, labels=wanted
    )
    if as_json:
        record = {"scores": _records(scores), "class_scores": _records(class_scores)}
        typer.echo(json.dumps(record, indent=2))
        return
    columns = ["arm", "model", "fold", "seed", "images"]
    columns += ["balanced_accuracy_adjusted", "mean_specificity_adjusted", "macro_auc"]
    columns += ["balanced_accuracy", "accuracy"]
    typer.echo(scores[columns].round(3).to_string(index=False))
    shown = class_scores.groupby(["arm", "model", "label"], sort=False, dropna=False)
    read = ["sensitivity_adjusted", "specificity_adjusted", "auc", "sensitivity", "specificity"]
    means = shown[["support", *read]].mean().round(3)
    typer.echo("\nmean over folds and seeds, per class\n" + means.to_string())


def _records(table: "pd.DataFrame") -> object:
    """Rows as plain values; what is not a number becomes null."""
    return json.loads(table.to_json(orient="records"))
