"""A hook of mkdocs: outside files are named, notebooks shown, and formulas need no script."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")
_NOTEBOOK = re.compile(r"<!-- notebook: ([\w.-]+) -->")
_TITLE = re.compile(r"\A# .*\n+")
_FORMULA = re.compile(r'<(div|span) class="arithmatex">\\[\[(](.+?)\\[\])]</\1>', re.DOTALL)
_TAG = re.compile(r"\\tag\{(\w+)\}")


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401
    """Turn a link to a file outside `docs/` into its text, with the path where the text lacks it.

    Example:
        >>> on_page_markdown("See [the keys](../src/dermaug/config/), [a](b.md).")
        'See the keys (`src/dermaug/config/`), [a](b.md).'
    """
    return _OUTSIDE.sub(_named, _NOTEBOOK.sub(_cells, markdown))


def on_page_content(html: str, **_: Any) -> str:  # noqa: ANN401
    r"""Turn each formula, which arithmatex has found, into MathML, which browsers draw themselves.

    Example:
        >>> on_page_content(r'<div class="arithmatex">\[n \tag{1}\]</div>')[:25]
        '<math xmlns="http://www.w'
    """
    return _FORMULA.sub(_drawn, html)


def _named(link: re.Match[str]) -> str:
    text, path = link.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"


def _cells(named: re.Match[str]) -> str:
    """The cells of a notebook beside this file, in Markdown, below the title of the page."""
    notebook = json.loads((Path(__file__).parent / named[1]).read_text(encoding="utf-8"))
    return _TITLE.sub("", "\n\n".join(map(_cell, notebook["cells"])))


def _cell(cell: dict[str, Any]) -> str:
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return text
    return "\n\n".join([f"```python\n{text}\n```", *map(_result, cell["outputs"])])


def _result(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return f"```text\n{''.join(output['text'])}```"
    picture = output["data"]["image/png"].strip()
    return f'<img alt="What the cell shows" src="data:image/png;base64,{picture}">'


def _drawn(formula: re.Match[str]) -> str:
    from latex2mathml.converter import convert

    place, tex = formula.groups()
    # MathML has no equation numbers: the number follows its formula.
    numbered = _TAG.sub(r"\\qquad \\text{(\1)}", unescape(tex))
    return str(convert(numbered, display="block" if place == "div" else "inline"))
