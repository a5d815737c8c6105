"""dermaug tells whether synthetic images improve a skin-lesion classifier, and by how much.

The functions below are imported when they are first used, so that `import dermaug` is fast.
"""

from importlib import import_module
from importlib.metadata import version

__version__ = version("dermaug")
__all__ = ["audit", "compare", "generate", "open_data", "paired_difference", "train"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'dermaug' has no attribute {name!r}")
    return getattr(import_module("dermaug.api"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
