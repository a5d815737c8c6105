"""`dermaug audit`: quality and privacy of sets of synthetic images."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dermaug.cli.app import app
from dermaug.cli.groups import grouped
from dermaug.cli.options import Device, Json, ReadingOptions, echo_json, rows_of
from dermaug.console import console, tell
from dermaug.errors import DermaugError

if TYPE_CHECKING:
    import torch

    from dermaug.experiment.run.artefacts import StoredClassifier
    from dermaug.experiment.stages.judges import Judge
    from dermaug.inspection.audit_folder import FolderAudit

SHOWN = (
    *("label", "images", "validation_images", "kid", "kid_low", "kid_high", "kid_floor"),
    *("fid", "precision", "recall", "density", "coverage"),
    *("copy_rate", "copy_low", "copy_high", "copy_expected", "visible_share"),
)


@dataclass(frozen=True)
class Features:
    """Options on the network whose features are compared: exactly one of three."""

    model: Annotated[
        Path | None, typer.Option(help="Classifier (or its folder) that provides the features.")
    ] = None
    backbone: Annotated[str | None, typer.Option(help="timm model that provides the features.")] = (
        None
    )
    inception: Annotated[
        bool,
        typer.Option("--inception", help="Use Inception features (requires the extra fidelity)."),
    ] = False
    weights: Annotated[
        Path | None, typer.Option(help="Weight file for the backbone or Inception.")
    ] = None
    layer: Annotated[
        list[str] | None,
        typer.Option(help="Layer of the backbone, for example blocks.3; repeatable."),
    ] = None
    option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Argument of the timm model.")
    ] = None
    expect_missing: Annotated[
        list[str] | None,
        typer.Option(help="Key that may be missing from the weight file; repeatable."),
    ] = None

    def check(self) -> None:
        """Raise unless exactly one network is asked for, and its options can be read."""
        if [self.model is not None, self.backbone is not None, self.inception].count(True) != 1:
            raise DermaugError("give exactly one of --model, --backbone and --inception")
        of_backbone = {
            "--weights": self.weights and not self.inception,
            "--layer": self.layer,
            "--option": self.option,
            "--expect-missing": self.expect_missing,
        }
        given = [name for name, each in of_backbone.items() if each]
        if given and self.backbone is None:
            found = "--inception" if self.inception else "--model"
            raise DermaugError(
                f"{' and '.join(given)}: expected --backbone, whose network it describes, found "
                f"{found}; leave it out"
            )
        _options(self.option)

    def judge(self, device: "torch.device") -> "tuple[Judge, StoredClassifier | None]":
        """The network, and where its classifier is stored if it is one."""
        from dermaug.experiment.run.artefacts import only_classifier
        from dermaug.experiment.stages.judges import (
            backbone_judge,
            classifier_judge,
            inception_judge,
        )

        if self.model is not None:
            stored = only_classifier(self.model)
            return classifier_judge(stored.path, device), stored
        if self.backbone is None:
            return inception_judge(self.weights, device), None
        judge = backbone_judge(
            self.backbone,
            self.weights,
            device,
            options=_options(self.option),
            layers=tuple(self.layer or ()),
            expect_missing=tuple(self.expect_missing or ()),
        )
        return judge, None


@app.command()
@grouped
def audit(
    *,
    synthetic: Annotated[
        list[Path],
        typer.Argument(metavar="SYNTHETIC...", help="Synthetic images; several sets are ranked."),
    ],
    data: Annotated[Path, typer.Option(help="Data set of real images to compare with.")],
    features: Features,
    size: Annotated[
        int | None, typer.Option(min=16, max=1024, help="Image size in pixels.")
    ] = None,
    label: Annotated[
        str, typer.Option(help="Class of all images of a folder without class folders.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the page and the tables.")
    ] = None,
    reading: ReadingOptions,
    as_json: Json = False,
    device: Device = "auto",
) -> None:
    """Compare synthetic with real images: fidelity, copies, and recognisable classes."""
    features.check()
    if output is not None:
        from dermaug.output_places import require_output_folder
        from dermaug.report.sections.audit_pages import MARK, WRITTEN

        for read in (data, *synthetic):
            require_output_folder(output, WRITTEN, WRITTEN[0], MARK, read)
    from dermaug.inspection.audit_folder import audit_folder
    from dermaug.training.fabric import start_fabric

    judge, stored = features.judge(start_fabric(device).device)
    found = {
        name: audit_folder(
            path, data, judge, stored=stored, size=size, label=label, reading=reading.wanted
        )
        for name, path in _named(synthetic).items()
    }
    if output is not None:
        tell(f"audit: {_write(output, found, str(data), judge.name)}")
    if as_json:
        records = [_record(name, each) for name, each in found.items()]
        echo_json(records[0] if len(records) == 1 else {"sets": records})
    else:
        _tell(found)


def _write(output: Path, found: "dict[str, FolderAudit]", data: str, features: str) -> Path:
    from dermaug.report.sections.audit_pages import write_audit_page, write_ranking_page

    if len(found) > 1:
        return write_ranking_page(output, found, data, features)
    ((name, audited),) = found.items()
    return write_audit_page(output, audited, name, data, features)


def _named(sets: list[Path]) -> dict[str, Path]:
    """Name of each set: the path of a single one, short names that differ for several."""
    if len(sets) == 1:
        return {str(sets[0]): sets[0]}
    names: dict[str, Path] = {}
    for place, path in enumerate(sets, start=1):
        short = path.resolve().name
        names[f"{place}-{short}" if short in names else short] = path
    return names


def _record(name: str, found: "FolderAudit") -> dict[str, object]:
    return {
        "set": name,
        "notes": list(found.notes),
        "numbers": rows_of(found.audit.numbers),
        "pairs": rows_of(found.audit.pairs),
        "instances": rows_of(found.instances),
    }


def _tell(found: "dict[str, FolderAudit]") -> None:
    """Print notes, what was found, and a table; several sets are ranked."""
    from dermaug.report.sections.audit import audit_findings
    from dermaug.report.sections.audit_pages import rank

    several = len(found) > 1
    for name, each in found.items():
        for note in each.notes:
            console.print(f"note: {name}: {note}" if several else f"note: {note}")
        for sentence in audit_findings(each.audit.numbers):
            tell(f"{name}: {sentence}" if several else sentence)
    if several:
        typer.echo(rank(found).round(4).to_string(index=False))
        return
    (only,) = found.values()
    shown = only.audit.numbers[list(SHOWN)].set_index("label").round(4)
    typer.echo(shown.T.astype(object).fillna("–").to_string())


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
