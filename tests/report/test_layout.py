"""The report in a real browser: on a laptop, on a phone, and printed."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from drawn import recorded, reported

from dermaug.experiment.run.results import RunResults

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDE = """[...document.querySelectorAll('.scroll')]
    .filter(each => each.scrollWidth > each.clientWidth + 1)
    .map(each => each.closest('figure').querySelector('figcaption').textContent)"""


@pytest.fixture(scope="module")
def page(drawn_page: Callable[..., Path]) -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: the report in a browser; apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: no playwright")
    written = drawn_page(seeds=(0, 1))
    with api.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        mistakes: list[str] = []
        opened.on(
            "console", lambda line: mistakes.append(line.text) if line.type == "error" else None
        )
        opened.goto(written.as_uri())
        yield opened
        browser.close()
    assert mistakes == []


def test_nothing_has_to_be_scrolled_sideways_even_when_all_is_unfolded(page: Any) -> None:
    unfold = "document.querySelectorAll('details').forEach(each => each.open = {})"
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(unfold.format("true"))
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if width == 1280:
            assert page.evaluate(WIDE) == []
        page.evaluate(unfold.format("false"))


def test_it_is_printed_on_eight_pages_at_most_with_its_numbers(page: Any) -> None:
    printed = page.pdf(prefer_css_page_size=True)
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 8
    page.emulate_media(media="print")
    seen = (
        "document.querySelector('#{0} table, #{0} ul')"
        ".checkVisibility({{contentVisibilityAuto: true}})"
    )
    page.wait_for_function(seen.format("verdicts"))  # drawn anew with the next frame
    is_data_shown = page.evaluate(seen.format("data"))
    page.emulate_media(media="screen")
    assert not is_data_shown


def test_a_point_tells_its_numbers(page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    disc = page.locator("#answer circle").first
    disc.hover()
    assert re.search(r"minus .*: [+−]?0\.\d{3} \(.* to .*\)", disc.locator("title").text_content())


def test_names_from_outside_do_nothing(page: Any, drawn_study: Callable[..., RunResults]) -> None:
    label = "<script>alert(1)</script>"
    evil = f"{label}<img src='https://evil.example/x' onerror='alert(1)'>"
    results = drawn_study(classes=("bkl", "mel", label))
    data = results.record.data.model_copy(update={"skipped": {f"{evil}.jpg": evil}})
    results = replace(
        recorded(results, command=evil, data=data),
        catalog=replace(results.catalog, name=evil, notes=(evil,)),
    )
    written, told, asked = reported(results), list[str](), list[str]()
    other = page.context.browser.new_page()
    other.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
    other.on("request", lambda request: asked.append(request.url))
    other.goto(written.as_uri())
    other.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    shown = other.locator("body").inner_text()
    other.close()
    assert evil in shown
    assert told == []
    assert [url for url in asked if not url.startswith((written.as_uri(), "data:"))] == []
