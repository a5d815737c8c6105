"""The shipped experiments: found by name, and listed with their question and cost."""

import difflib
import os
from pathlib import Path

from dermaug.config import Experiment
from dermaug.errors import DermaugError

FOLDERS = (
    Path(__file__).parents[0] / "experiments",  # installed
    Path(__file__).parents[2] / "experiments",  # in the repository
)
RATE = 1_000.0
"""Images of 32 px that the own CNN is shown per second on two CPU cores."""
TIMM, GENERATOR = 8.0, 4.0
"""How many times as long another network takes per image, roughly: a cost class says no more."""
CLASSES = ((1.0, "minutes"), (24.0, "hours"), (float("inf"), "days"))
"""Hours below which a study is of a cost class."""


def shipped_experiments() -> dict[str, Path]:
    """Name -> file of every shipped experiment, in alphabetical order."""
    found = {path.stem: path for folder in FOLDERS for path in folder.glob("*.toml")}
    return dict(sorted(found.items()))


def find_experiment(name: str) -> Path:
    """The file of an experiment, given by path or by the name of a shipped one.

    Raises:
        DermaugError: It is neither; names what is similar.
    """
    # os.path answers False where a name is too long for a path; Path.is_file raises.
    if Path(name).suffix == ".toml" or os.path.isfile(name):  # noqa: PTH113
        return Path(name)
    shipped = shipped_experiments()
    if name not in shipped:
        close = difflib.get_close_matches(name, shipped, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise DermaugError(
            f"no experiment {name!r}{meant}",
            [
                f"expected a TOML file, or one of {', '.join(shipped)}",
                "`dermaug run --list` says what each of them asks; for images of your own, "
                "`dermaug plan FOLDER` writes a file",
            ],
        )
    return shipped[name]


def cost_class(experiment: Experiment) -> str:
    """Minutes, hours or days on two CPU cores, from the images shown and their size.

    Example:
        >>> cost_class(Experiment(name="short", arms=[{"name": "real"}]))
        'hours'
    """
    points = len(experiment.splits.indices) * len(experiment.splits.sizes)
    length = sum(arm.length for arm in experiment.arms)
    classifiers = sum(
        config.images * (1.0 if config.model == "fridadar" else TIMM)
        for config in experiment.classifiers
    )
    generators = sum(
        config.images * len(config.seeds) * GENERATOR for config in experiment.generators
    )
    shown = points * (len(experiment.seeds) * length * classifiers + generators)
    hours = shown * (experiment.data.size / 32) ** 2 / RATE / 3600.0
    return next(name for most, name in CLASSES if hours < most)
