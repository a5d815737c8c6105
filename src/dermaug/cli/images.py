"""`dermaug generate`, `dermaug predict` and `dermaug evaluate`: trained networks on images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dermaug.cli.app import app
from dermaug.cli.groups import grouped
from dermaug.cli.options import Device, Json, ReadingOptions, echo_json, rows_of
from dermaug.console import console, progress_bar, tell
from dermaug.errors import DermaugError

if TYPE_CHECKING:
    import pandas as pd

    from dermaug.experiment.run.artefacts import StoredClassifier
    from dermaug.experiment.stages.predict_files import Predicted

RESEARCH = (
    "for research only, not for diagnosis; the probabilities are not calibrated: 1.000 does not "
    "mean certain"
)
_KNOWN = {True: "training image", False: "other image of the study"}
"""Whether the classifier was trained on an image of its study -> what such an image is called."""
MOST_NAMED = 20
"""Known images that are named; more are counted."""


@app.command()
def generate(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint of a generator, or its folder.")],
    label: Annotated[str, typer.Option("--class", help="Class of the images.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Output folder.")],
    number: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of images.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the latents.")] = 0,
    device: Device = "auto",
) -> None:
    """Generate synthetic images as PNG files with metadata and provenance."""
    from dermaug.experiment.run.artefacts import find_generator
    from dermaug.synthesis.png_folder import generate_folder
    from dermaug.training.fabric import start_fabric

    found, place = find_generator(checkpoint), start_fabric(device).device
    with progress_bar(f"drawing {label}", number) as advance:
        generate_folder(found, label, number, seed, output, place, advance)
    console.print(f"{number:,} synthetic images of {label} written to {output}")


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Checkpoint of a classifier, or its folder.")],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGES...", help="Image files, or folders; what is no image is skipped."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV file to write, a row per image.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of segmentations, for a classifier trained on lesion crops."),
    ] = None,
    as_json: Json = False,
    device: Device = "auto",
) -> None:
    """Predict class probabilities for images and folders of images. Not for clinical use."""
    from dermaug.csv_files import write_csv
    from dermaug.experiment.run.artefacts import only_classifier
    from dermaug.experiment.stages.predict_files import predict_paths
    from dermaug.output_places import require_output_file
    from dermaug.report.formats import counted
    from dermaug.training.fabric import start_fabric

    if output is not None:
        require_output_file(output, ".csv", "file,label,")
    stored = only_classifier(model)
    found = predict_paths(stored.path, images, start_fabric(device), masks)
    if found.skipped:
        console.print(f"skipped {counted(len(found.skipped), 'file')} that cannot be predicted:")
        for name, reason in found.skipped:
            tell(f"  {_printable(name)}: {reason}")
    table, (known, doubt) = found.table, _known(stored, found)
    if output is not None:
        write_csv(output, _written(table, known))
        tell(f"{len(table):,} predictions written to {output}")
    if as_json:
        skipped = [{"file": name, "reason": reason} for name, reason in found.skipped]
        echo_json({"predictions": _answers(table), "skipped": skipped})
    elif output is None:
        table["file"] = table["file"].map(_printable)
        typer.echo(table.to_string(index=False, float_format="{:.3f}".format))
    tell(f"note: {RESEARCH}")
    _tell_known(known)
    if doubt:
        tell(f"note: {doubt}")


def _known(stored: "StoredClassifier", found: "Predicted") -> tuple[dict[str, bool], str]:
    """What `known_images` finds, or why that cannot be told: a moved or damaged run."""
    from dermaug.experiment.stages.predict_files import known_images

    try:
        return known_images(stored, found), ""
    except DermaugError as error:  # the predictions hold
        return {}, f"whether these images are of the study cannot be told: {error}"


def _written(table: "pd.DataFrame", known: dict[str, bool]) -> "pd.DataFrame":
    """The predictions as they are written, with a column that says which images are known."""
    numbers = {name: table[name].map("{:.6f}".format) for name in table.columns[2:]}
    told = {name: _KNOWN[trained] for name, trained in known.items()}
    seen = [told.get(name, "") for name in table["file"]]
    return table.assign(file=table["file"].map(_printable), **numbers, **{"known image": seen})


def _tell_known(known: dict[str, bool]) -> None:
    """Name the images that the classifier, or its study, has met before."""
    for trained, words in _KNOWN.items():
        names = [_printable(name) for name, seen in known.items() if seen is trained]
        if names:
            more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
            tell(
                f"note: {words}s of this classifier, whose predictions say nothing on new images: "
                f"{', '.join(names[:MOST_NAMED])}{more}"
            )


def _answers(table: "pd.DataFrame") -> list[dict[str, object]]:
    classes = list(table.columns[2:])
    return [
        {
            "file": row["file"],
            "label": row["label"],
            "probabilities": {label: round(float(row[label]), 6) for label in classes},
        }
        for _, row in table.iterrows()
    ]


def _printable(name: str) -> str:
    """A name that is not UTF-8 cannot be printed; it need only be recognised."""
    return name.encode(errors="replace").decode()


@app.command()
@grouped
def evaluate(
    *,
    target: Annotated[
        Path, typer.Argument(metavar="RUN_OR_MODEL", help="Folder of a run or of a classifier.")
    ],
    data: Annotated[Path, typer.Option("--data", help="A labelled data set.")],
    as_json: Json = False,
    skip_known: Annotated[
        bool, typer.Option("--skip-known", help="Leave out images the classifier was trained on.")
    ] = False,
    reading: ReadingOptions,
    device: Device = "auto",
) -> None:
    """Score trained classifiers on another data set: sensitivity, specificity, AUC."""
    from dermaug.experiment.run.artefacts import find_classifiers
    from dermaug.experiment.stages.predict_external import evaluate as score
    from dermaug.training.fabric import start_fabric

    wanted, found = reading.wanted, find_classifiers(target)
    fabric = start_fabric(device)
    scores, class_scores = score(found, data, fabric, skip_known=skip_known, reading=wanted)
    if as_json:
        echo_json({"scores": rows_of(scores), "class_scores": rows_of(class_scores)})
        return
    shown_first = ["arm", "model", "fold", "seed", "images"]
    shown_first += ["balanced_accuracy_adjusted", "mean_specificity_adjusted", "macro_auc"]
    shown_first += ["balanced_accuracy", "accuracy"]
    typer.echo(scores[shown_first].round(3).to_string(index=False))
    shown = class_scores.groupby(["arm", "model", "label"], sort=False, dropna=False)
    read = ["sensitivity_adjusted", "specificity_adjusted", "auc", "sensitivity", "specificity"]
    means = shown[["support", *read]].mean().round(3)
    typer.echo("\nmean over folds and seeds, per class\n" + means.to_string())
