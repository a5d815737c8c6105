"""Names that others chose, in Markdown."""


def plain(text: str) -> str:
    r"""Text that Markdown shows as it is: no HTML, and no end of a table's cell.

    Example:
        >>> plain("<b>mel|nv</b>")
        '&lt;b>mel\\|nv&lt;/b>'
    """
    return " ".join(text.splitlines()).replace("<", "&lt;").replace("|", "\\|")
