"""A drawing's SVG file as markup within a page, where its titles can be seen and text selected."""

import re
from hashlib import sha256
from html import escape

_BEFORE_ROOT = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_UNUSED = re.compile(
    r"\s*<metadata>.*?</metadata>|\s*<style[^>]*>.*?</style>|\s*<!--.*?-->", re.DOTALL
)
_NAMED_GROUP = re.compile(r' id="[A-Za-z][A-Za-z2.]*_\d+"')
_DEFINED = re.compile(r'(\bid="|href="#|url\(#)')


def inline_svg(data: bytes, name: str, alt: str) -> str:
    """Make markup of an SVG file that matplotlib wrote.

    Args:
        data: The file.
        name: Its name, unique on the page: what the file defines is named after it, because an
            identifier may occur only once in a page.
        alt: Text alternative.
    """
    text = _UNUSED.sub("", _BEFORE_ROOT.sub("", data.decode()))
    own = sha256(name.encode()).hexdigest()[:6]
    text = _DEFINED.sub(rf"\g<1>{own}-", _NAMED_GROUP.sub("", text))
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1).strip()
