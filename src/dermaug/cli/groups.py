"""Groups of options: a command that takes a dataclass has an option for each of its fields."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Show typer the fields of a command's dataclasses of options in place of the dataclasses."""
    asked = signature(command, eval_str=True).parameters
    groups = {name: each.annotation for name, each in asked.items() if _is_group(each)}
    shown: list[Parameter] = []
    for name, parameter in asked.items():
        group = groups.get(name)
        shown += signature(group, eval_str=True).parameters.values() if group else [parameter]

    @wraps(command)
    def expanded(**given: Any) -> None:  # noqa: ANN401
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    by_name = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in shown]
    vars(expanded)["__signature__"] = Signature(by_name)
    return expanded


def _is_group(parameter: Parameter) -> bool:
    return is_dataclass(parameter.annotation)
