"""What a published text does not tell: folders of a machine, and names of photographs."""

import re
from typing import Any

from dermaug.report.formats import counted

_START = r"(?:~(?:[A-Za-z_][\w.-]*)?|\.\.)?/"
_QUOTED = re.compile(rf"(?<=[\"']){_START}[^\"'\n]+(?=[\"'])")
_EXCLUDED = re.compile(r'data\.exclude\s*=\s*\[((\s*"(\\.|[^"\\])*"\s*,?)*\s*|.*)\]')
"""A list of names in a command: of JSON or, to the last bracket, in other quotes."""
_BARE = re.compile(rf"(?<![\w.:/~]){_START}[^\s\"',=;)\]}}]+")


def without_names(record: dict[str, Any]) -> dict[str, Any]:
    """A `run.json` without what names photographs, whose names may be those of patients."""
    data = record["data"] | {"notes": [], "external_notes": [], "skipped": {}}
    return record | {"data": data, "command": without_private(record["command"])}


def without_exclusions(experiment: dict[str, Any]) -> dict[str, Any]:
    """An `experiment.json` with the number of the images that it leaves out, not their names."""
    names = experiment["data"]["exclude"]
    told = [f"{counted(len(names), 'image')}, not named here"] if names else []
    return experiment | {"data": experiment["data"] | {"exclude": told}}


def without_folders(text: str) -> str:
    """Shorten paths that start at the root, in a home folder or with `..` to their last part.

    Example:
        >>> without_folders("--data /home/me/HAM10000 --set a.weights=/tmp/w.pth, 3/4")
        '--data PATH/TO/HAM10000 --set a.weights=PATH/TO/w.pth, 3/4'
    """
    return _BARE.sub(_last_part, _QUOTED.sub(_last_part, text))


def without_private(command: str) -> str:
    """A command without folders, and without the names of the photographs that it leaves out.

    Example:
        >>> without_private("dermaug run x --set 'data.exclude=[1, 2]' -o /a/b")
        "dermaug run x --set 'data.exclude=[...]' -o PATH/TO/b"
    """
    return without_folders(_EXCLUDED.sub("data.exclude=[...]", command))


def _last_part(path: re.Match[str]) -> str:
    parts = [part for part in path[0].split("/") if part not in ("", "..")]
    is_home = len(parts) == 2 and parts[0] in ("home", "Users")
    return f"PATH/TO/{'HOME' if is_home else parts[-1]}" if parts else path[0]
