"""How an optional extra is installed, for every message that asks for one."""


def to_install(extra: str) -> str:
    """The commands that install an extra, of which one fits.

    Example:
        >>> print(to_install("excel"))
        `pip install 'dermaug[excel]'` (in a clone: `uv sync --extra excel`)
    """
    return f"`pip install 'dermaug[{extra}]'` (in a clone: `uv sync --extra {extra}`)"
