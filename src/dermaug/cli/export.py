"""`dermaug export`: synthetic sets and models for other tools and other people."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from dermaug.cli.app import app
from dermaug.console import tell
from dermaug.errors import DermaugError

export = typer.Typer(
    no_args_is_help=True, help="Export a synthetic set, a classifier or a generator, with a card."
)
app.add_typer(export, name="export")

Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Checkpoint of the network, or its folder.")
]
Output = Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")]
Onnx = Annotated[
    bool, typer.Option("--onnx/--no-onnx", help="Write ONNX (requires the extra export).")
]
Push = Annotated[
    str | None,
    typer.Option(
        metavar="OWNER/NAME", help="Upload to a private repository of the Hugging Face Hub."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="With --push: list what would be uploaded, and stop.")
]


@export.command()
def synthetic(
    source: Annotated[Path, typer.Argument(metavar="SET", help="Folder of a synthetic set.")],
    output: Output,
    layout: Annotated[
        str, typer.Option("--format", help="imagefolder, ham10000, medmnist or stylegan.")
    ] = "imagefolder",
    push: Push = None,
    dry_run: DryRun = False,
) -> None:
    """Write a synthetic set in another layout, with a data set card and Croissant metadata."""
    _check(push, dry_run)
    from dermaug.export.synthetic import export_synthetic

    for remark in export_synthetic(source, output, layout):
        tell(f"note: {remark}")
    _tell(output, push, "dataset", dry_run)


@export.command()
def classifier(
    model: Model, output: Output, onnx: Onnx = True, push: Push = None, dry_run: DryRun = False
) -> None:
    """Write a classifier as safetensors and ONNX, with its configuration and a model card."""
    _check(push, dry_run)
    from dermaug.export.models import export_classifier

    export_classifier(model, output, onnx=onnx)
    _tell(output, push, "model", dry_run)


@export.command()
def generator(
    model: Model, output: Output, onnx: Onnx = True, push: Push = None, dry_run: DryRun = False
) -> None:
    """Write a generator as safetensors and ONNX, with its configuration and a model card."""
    _check(push, dry_run)
    from dermaug.export.models import export_generator

    export_generator(model, output, onnx=onnx)
    _tell(output, push, "model", dry_run)


def _check(push: str | None, dry_run: bool) -> None:
    from dermaug.export.hub import check_name

    if dry_run and push is None:
        raise DermaugError("--dry-run says what --push would upload; give --push OWNER/NAME, too")
    if push is not None:
        check_name(push)


def _tell(output: Path, push: str | None, kind: Literal["model", "dataset"], dry_run: bool) -> None:
    tell(f"exported: {output}")
    if push is None:
        return
    if dry_run:
        files = sorted(path for path in output.rglob("*") if path.is_file())
        size = sum(path.stat().st_size for path in files) / 1e6
        tell(f"would upload {len(files):,} files ({size:.1f} MB) to the private {kind} {push}")
        return
    from dermaug.export.hub import push as upload

    tell(f"uploaded: {upload(output, push, kind)}")
