"""The page in a real browser: each tab is opened and used, and nothing leaves this machine."""

import http.client
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dermaug.app.safety import UPLOAD_BYTES
from dermaug.synthesis.synthetic_set import read_synthetic_set

pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
HIDDEN = "--disable-background-networking"
PATIENCE = 60_000  # milliseconds, for a crowded machine


@pytest.fixture
def page(port: int) -> Iterator[Any]:
    """The page, opened; nothing may be asked of another address, and no script may fail."""
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: the page in a browser; apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: no playwright")
    asked: list[str] = []
    mistakes: list[str] = []
    with api.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, HIDDEN])
        shown = browser.new_page(viewport={"width": 1400, "height": 1000})
        shown.set_default_timeout(PATIENCE)
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("pageerror", lambda error: mistakes.append(str(error)))
        shown.on("console", lambda told: mistakes.append(told.text) if told.type == "error" else 0)
        shown.goto(f"http://127.0.0.1:{port}/")
        yield shown
        browser.close()
    own = f"http://127.0.0.1:{port}/"
    assert [url for url in asked if not url.startswith((own, "data:", f"blob:{own}"))] == []
    assert mistakes == []


def opened_tab(page: Any, name: str) -> Any:
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel").filter(visible=True)


def pictured(page: Any, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    if folder := os.environ.get("DERMAUG_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_each_tab_is_used_once(page: Any, scored_run: Path, tmp_path: Path) -> None:
    answer = page.frame_locator('iframe[title="The answer"]')
    assert "Do drawn images help?" in answer.locator("h1").inner_text()
    page.get_by_label("Class", exact=True).click()
    page.get_by_role("option", name="nv").click()
    answer.get_by_text("Rows that the choice above leaves out").wait_for()
    pictured(page, "answer")

    images = opened_tab(page, "Images")
    images.get_by_text("Generated, ").wait_for()
    images.get_by_role("button", name="Exclude this image").click()
    images.get_by_text("choose a generated image first").wait_for()
    # It can be chosen: the message covers nothing.
    images.locator("#drawn button.thumbnail-item").nth(1).click()
    images.get_by_text("reference classifier").wait_for()
    pictured(page, "images")
    images.get_by_role("button", name="Exclude this image").click()
    images.get_by_text(", 1 excluded").wait_for()
    images.get_by_role("button", name="Write the set").click()
    images.get_by_text("Written:").get_by_text(", 1 excluded").wait_for()
    assert read_synthetic_set(scored_run / "app/chosen").provenance.note.startswith("chosen by")
    chosen_of_list(page, images, "nv")
    images.get_by_text("Choose a generated image to see").wait_for()
    assert images.locator("#drawn .selected").count() == 0
    images.get_by_role("button", name="Exclude all copies").click()
    images.get_by_text("counts no image of this class").wait_for()
    page.reload()
    opened_tab(page, "Images").get_by_text(", 1 excluded").wait_for()
    assert cut_off_on_a_phone(page) == []

    drawing = opened_tab(page, "Generator")
    drawing.get_by_role("button", name="Draw").click()
    drawing.locator("#made button.thumbnail-item").nth(2).click()
    drawing.get_by_role("button", name="More like").click()
    drawing.get_by_text("like image 2").wait_for()
    pictured(page, "generator")
    drawing.get_by_label("New folder").fill("../drawn")
    drawing.get_by_role("button", name="Save with").click()
    drawing.get_by_text("but the name is a path").wait_for()
    assert not (scored_run / "drawn").exists()
    chosen_of_list(page, drawing, "flow")
    drawing.get_by_text("like image 2").wait_for(state="detached")
    assert drawing.locator("#made button.thumbnail-item").count() == 0

    looking = opened_tab(page, "Classifier")
    bad, good = tmp_path / "bad.png", tmp_path / "good.png"
    bad.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    Image.fromarray(np.full((60, 80, 3), 120, np.uint8)).save(good)
    uploaded(looking, bad)
    looking.get_by_role("button", name="Look at").click()
    looking.get_by_text("not an image but a web page").wait_for()
    looking.get_by_label("Clear").first.click()
    looking.get_by_role("button", name="Look at", disabled=True).wait_for()
    uploaded(looking, good)
    looking.get_by_role("button", name="Look at").click()
    looking.get_by_text("Highest prior-adjusted probability").wait_for()
    looking.get_by_text("good.png").last.wait_for()
    pictured(page, "classifier")
    assert cut_off_on_a_phone(page) == []
    looking.get_by_label("Clear").first.click()
    looking.get_by_text("Highest prior-adjusted probability").wait_for(state="detached")


@contextmanager
def busy(process: int) -> Iterator[None]:
    """A server that answers nothing for a while."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
        time.sleep(1)
    finally:
        os.kill(process, signal.SIGCONT)


def test_what_is_clicked_while_the_server_is_busy_is_done_as_shown_or_refused(
    page: Any, server: tuple[int, int], scored_run: Path
) -> None:
    images = opened_tab(page, "Images")
    images.locator("#drawn button.thumbnail-item").nth(2).click()
    images.get_by_text("Image 2").wait_for()
    sheet = images.get_by_role("button", name="Exclude this sheet")
    images.get_by_label("New folder").fill("busy")
    with busy(server[1]):
        sheet.click()
        page.wait_for_timeout(200)
        images.get_by_role("button", name="Write the set").click()
    images.get_by_text("The last click did nothing: the page was").wait_for()
    drawn = images.locator("#drawn")
    drawn.get_by_text("2 out", exact=True).wait_for()
    assert not (scored_run / "app/busy").exists()
    sheet.click()
    images.get_by_text(", 0 excluded").wait_for()

    with busy(server[1]):
        chosen_of_list(page, images, "nv")
        page.wait_for_timeout(200)
        images.get_by_role("button", name="Exclude this image").click()
    images.get_by_text("Generated, melanocytic").wait_for()
    images.get_by_text("The last click did nothing: the page was").wait_for()
    images.get_by_text(", 0 excluded").wait_for()
    assert drawn.get_by_text("out").count() == 0


def uploaded(tab: Any, path: Path) -> None:
    """Upload a file, and wait until it can be looked at."""
    tab.locator("input[type=file]").set_input_files(path)
    tab.get_by_role("button", name="Look at", disabled=False).wait_for()


def chosen_of_list(page: Any, tab: Any, words: str) -> None:
    tab.get_by_label("Class and generator").click()
    page.get_by_role("option").filter(has_text=words).first.click()


def cut_off_on_a_phone(page: Any) -> Any:
    """What reaches beyond the right edge of a narrow window; a table may scroll in its box."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    found = page.evaluate(
        """() => [...document.querySelectorAll("[role=tabpanel] :is(button, table, img, input)")]
            .filter((one) => one.checkVisibility())
            .filter((one) => {
                const box = one.closest(".html-container");
                const scrolls = box && getComputedStyle(box).overflowX === "auto";
                return (scrolls ? box : one).getBoundingClientRect().right > innerWidth;
            }).map((one) => one.outerHTML.slice(0, 200))"""
    )
    page.set_viewport_size({"width": 1400, "height": 1000})
    return found


def test_many_clicks_at_once_are_survived(page: Any, port: int) -> None:
    drawing = opened_tab(page, "Generator")
    draw = drawing.get_by_role("button", name="Draw")
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(answered, port, "GET", "/config") for _ in range(20)]
        for _ in range(20):
            draw.click(no_wait_after=True)
    assert {answer.result()[0] for answer in answers} == {200}
    drawing.locator("#made button.thumbnail-item").nth(2).wait_for()
    assert answered(port, "GET", "/")[0] == 200


def answered(port: int, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of one request."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, headers=headers)
        found = connection.getresponse()
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in found.headers["Content-Security-Policy"]
        return found.status, found.read()


def test_no_file_of_the_machine_is_served(port: int, scored_run: Path) -> None:
    record = scored_run / "run.json"
    for path in (record, "/etc/passwd", "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd"):
        status, body = answered(port, "GET", f"/gradio_api/file={path}")
        assert status in (403, 404)
        assert b"root:" not in body
        assert b'"format"' not in body


def test_other_sites_and_large_uploads_are_refused(port: int) -> None:
    assert answered(port, "GET", "/", Host="evil.example")[0] == 403
    assert answered(port, "GET", "/config", Origin="https://evil.example")[0] == 403
    size = {"Content-Length": str(2 * UPLOAD_BYTES)}
    assert answered(port, "POST", "/gradio_api/upload", **size)[0] == 413
    assert answered(port, "GET", "/")[0] == 200  # and it lives on
