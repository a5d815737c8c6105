"""`dermaug doctor` and `dermaug cache`: what this machine has, and the cache of decoded images."""

import importlib.metadata
import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from dermaug.cli.app import USAGE_ERROR, app
from dermaug.cli.options import Json, echo_json
from dermaug.cli.streams import confirmed
from dermaug.console import console, tell
from dermaug.disk import free_bytes
from dermaug.extras import to_install

cache = typer.Typer(no_args_is_help=True, help="List or empty the cache of decoded images.")
app.add_typer(cache, name="cache")

EXTRAS = {
    "app": "a run as a page in the browser",
    "excel": "tables in Excel workbooks",
    "export": "ONNX files of classifiers and generators",
    "fidelity": "FID and KID with the Inception network",
    "imagenet": "ImageNet weights without a network connection",
    "mlflow": "curves of trainings in MLflow",
    "ray": "jobs on a Ray cluster",
    "submitit": "jobs on a SLURM cluster",
}
"""Optional extra -> what it is for."""
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+).*extra == ['\"](?P<extra>[\w-]+)['\"]")


def missing_packages() -> dict[str, list[str]]:
    """Extra -> its packages that are not installed."""
    missing: defaultdict[str, list[str]] = defaultdict(list)
    for line in importlib.metadata.requires("dermaug") or ():
        if told := _REQUIREMENT.match(line):
            is_there = any(importlib.metadata.distributions(name=told["name"]))
            missing[told["extra"]] += [] if is_there else [told["name"]]
    return dict(sorted(missing.items()))


def facts() -> dict[str, dict[str, str]]:
    """What a report of a problem needs: section -> name -> value."""
    import torch

    import dermaug
    from dermaug.data.cache_files import cache_entries
    from dermaug.data.pixels import default_cache
    from dermaug.experiment.run.machine import available_memory, machine, versions
    from dermaug.training.fabric import start_fabric

    here, folder = machine(), default_cache()
    fabric = start_fabric()
    cached = sum(entry.size for entry in cache_entries(folder))
    memory = int(here.memory_gib * 2**30)
    return {
        "versions": {"dermaug": dermaug.__version__} | versions(),
        "machine": {
            "system": here.platform,
            "processor": f"{here.cpu}, {here.cores} cores for this process",
            "memory": f"{decimal(memory)}, {decimal(available_memory())} free",
            "GPU": here.gpu or "none",
            "device": f"{fabric.device} by --device auto",
            "precision": f"{fabric.strategy.precision.precision} by --precision auto",
            "threads": str(torch.get_num_threads()),
        },
        "disk": {
            "this folder": f"{decimal(free_bytes(Path.cwd()))} free",
            "cache": f"{folder}: {decimal(cached)} used, {decimal(free_bytes(folder))} free",
        },
        "extras": {
            extra: f"{EXTRAS.get(extra, extra)}: "
            + (f"{', '.join(missing)} missing; {to_install(extra)}" if missing else "installed")
            for extra, missing in missing_packages().items()
        },
    }


@app.command()
def doctor(as_json: Json = False) -> None:
    """Show versions, devices, threads, free disk, the cache, and what is missing for which use."""
    told = facts()
    if as_json:
        echo_json(told)
        return
    for section, entries in told.items():
        console.print(section, style="bold")
        width = max(map(len, entries), default=0)
        for name, value in entries.items():
            tell(f"  {name:<{width}}  {value}")


@cache.command("list")
def list_cache(as_json: Json = False) -> None:
    """List the data sets in the cache, the largest first."""
    from dermaug.data.cache_files import cache_entries
    from dermaug.data.pixels import default_cache

    folder = default_cache()
    entries = cache_entries(folder)
    if as_json:
        rows = [{"name": each.name, "bytes": each.size, "used": each.used} for each in entries]
        echo_json({"folder": str(folder), "entries": rows})
        return
    for entry in entries:
        used = datetime.fromtimestamp(entry.used, UTC)
        tell(f"{decimal(entry.size):>9}  {used:%Y-%m-%d}  {entry.name}")
    total = sum(entry.size for entry in entries)
    tell(f"{decimal(total)} in {folder}")


@cache.command("clear")
def clear(sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove everything from the cache; images are decoded again when they are needed."""
    from dermaug.data.cache_files import cache_entries, clear_cache
    from dermaug.data.pixels import default_cache

    folder = default_cache()
    total = sum(entry.size for entry in cache_entries(folder))
    if total and not sure and not confirmed(f"Remove {decimal(total)} from {folder}?"):
        console.print("nothing was removed")
        raise typer.Exit(USAGE_ERROR)
    console.print(f"freed {decimal(clear_cache(folder))}")
