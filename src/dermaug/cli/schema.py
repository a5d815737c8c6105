"""`dermaug schema`: the keys of an experiment file, for editors."""

import json

import typer

from dermaug.cli.app import app
from dermaug.config import Experiment


@app.command()
def schema() -> None:
    """Print the JSON Schema of an experiment file, with which editors complete and explain keys."""
    typer.echo(json.dumps(Experiment.model_json_schema(), indent=2, ensure_ascii=False))
