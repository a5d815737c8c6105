"""Machine, versions and the experiment as it was run."""

import json

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Code, Details, Section, Table
from dermaug.report.formats import counted

FILES = (
    "Beside this page: scoring/ with CSV files of all scores, such as scores.csv (one row per "
    "trial of a compared arm), class_scores.csv (one row per such trial and class) and "
    "verdicts.csv (one row per contrast, read-out, scope and metric), and figures/ with each "
    "drawing and its numbers."
)


def run_sections(results: RunResults) -> list[Section]:
    """Everything needed to repeat the run."""
    tree = results.experiment.model_dump(mode="json")
    asked = Code(json.dumps(tree, indent=2, ensure_ascii=False))
    folded = Details("The experiment, with the defaults of this version", [asked])
    return [
        Section("machine", "Machine", [machine_table(results)]),
        Section("configuration", "Configuration", [folded, FILES]),
    ]


def machine_table(results: RunResults) -> Table:
    """Machine, versions and command."""
    record = results.record
    told = record.model_dump(include={"command", "version", "started", "finished", "device"})
    networks = [
        (name, f"{how.precision}, {counted(how.threads, 'thread')} per job")
        for name, how in record.networks.items()
    ]
    pairs = [*told.items(), *networks, *record.machine, *record.versions.items()]
    rows = tuple((str(key).replace("_", " "), str(value)) for key, value in pairs if value)
    return Table("Machine and versions.", ("", ""), rows, texts=2)
