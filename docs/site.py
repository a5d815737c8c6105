"""A hook of mkdocs: files of the repository outside `docs/` are named in the site, not linked."""

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401
    """Turn a link to a file outside `docs/` into its text, with the path where the text lacks it.

    Example:
        >>> on_page_markdown("See [the keys](../src/dermaug/config/), [a](b.md).")
        'See the keys (`src/dermaug/config/`), [a](b.md).'
    """
    return _OUTSIDE.sub(_named, markdown)


def _named(link: re.Match[str]) -> str:
    text, path = link.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"
