"""Names that others chose, in Markdown."""

import re


def plain(text: str) -> str:
    r"""Text that Markdown shows as it is: no HTML, and no end of a table's cell.

    Example:
        >>> plain("<b>mel|nv</b>")
        '&lt;b>mel\\|nv&lt;/b>'
    """
    return " ".join(text.splitlines()).replace("<", "&lt;").replace("|", "\\|")


def as_code(text: object) -> str:
    """A text as it stands, as code in Markdown, whatever quotes it holds.

    Example:
        >>> as_code("runs/one")
        '`runs/one`'
        >>> as_code("a`*b*")
        '`` a`*b* ``'
    """
    longest = max(map(len, re.findall("`+", str(text))), default=0)
    quotes, space = "`" * (longest + 1), " " * bool(longest)
    return f"{quotes}{space}{text}{space}{quotes}"
