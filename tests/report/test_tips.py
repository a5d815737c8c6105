import re
from xml.etree import ElementTree

import numpy as np

from dermaug.report.drawing import drawing, svg
from dermaug.report.inline import inline_svg
from dermaug.report.tips import add_tips

SVG = "{http://www.w3.org/2000/svg}"


def test_numbers_are_told_where_the_points_are_drawn() -> None:
    x, y = np.array([1.0, 10.0, 100.0]), np.array([0.2, -0.4, 0.9])
    with drawing() as axes:
        axes.plot(x, y, "o", color="#123456")
        axes.set_xscale("log")
        add_tips(axes, x, y, ["one", "ten <10>", "hundred"])
        add_tips(axes, [2.0], [np.nan], ["nowhere"])
        root = ElementTree.fromstring(svg(axes))
    discs = [each for each in root.iter(f"{SVG}circle") if each.find(f"{SVG}title") is not None]
    assert [each.findtext(f"{SVG}title") for each in discs] == ["one", "ten <10>", "hundred"]
    marks = [each for each in root.iter(f"{SVG}use") if "#123456" in each.get("style", "")]
    for disc, mark in zip(discs, marks, strict=True):
        assert abs(float(disc.get("cx", "")) - float(mark.get("x", ""))) < 0.1
        assert abs(float(disc.get("cy", "")) - float(mark.get("y", ""))) < 0.1


def test_two_drawings_on_a_page_share_no_identifier() -> None:
    with drawing() as axes:
        axes.plot([0, 1], [1, 0], "o")
        data = svg(axes)
    one, other = (inline_svg(data, name, 'a "b" <c>') for name in ("one.svg", "other.svg"))
    names = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (one, other)]
    assert names[0]
    assert not names[0] & names[1]
    for text, own in zip((one, other), names, strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', text)) == own
        root = ElementTree.fromstring(text)
        assert root.get("aria-label") == 'a "b" <c>'
        assert text.startswith("<svg")
