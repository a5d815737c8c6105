"""What is computed once per run is remembered as long as the run, and keeps no run alive."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from dermaug.experiment.run.run import Run

Others = ParamSpec("Others")
Result = TypeVar("Result")


def once_per_run(
    function: Callable[Concatenate[Run, Others], Result],
) -> Callable[Concatenate[Run, Others], Result]:
    """Decorate a function of a run and hashable arguments, so that it computes each result once.

    A cache of `functools` would keep runs and their images for the rest of the process.
    """
    known: WeakKeyDictionary[Run, dict[tuple[Any, ...], Result]] = WeakKeyDictionary()

    @wraps(function)
    def remembered(run: Run, /, *others: Others.args, **named: Others.kwargs) -> Result:
        results, key = known.setdefault(run, {}), (*others, *named.items())
        if key not in results:
            results[key] = function(run, *others, **named)
        return results[key]

    return remembered
