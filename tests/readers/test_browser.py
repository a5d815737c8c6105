"""Two readers sit in a real browser, one of them interrupted."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from dermaug.experiment.run.results import RunResults
from dermaug.readers.answers import read_answers
from dermaug.readers.key import ReaderKey, read_key
from dermaug.readers.make import make_reader_test
from dermaug.readers.scores import score_readers

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def folder(
    drawn_study: Callable[..., RunResults], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    place = tmp_path_factory.mktemp("browser") / "test"
    make_reader_test(drawn_study(), place, readers=2, number=8, device=torch.device("cpu"))
    return place


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: the reader's page in a browser; apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: no playwright")
    with api.sync_playwright() as running:
        yield running


@pytest.fixture
def browse(playwright: Any, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Opens a browser with a profile on disk; each call is a new start of the browser."""
    open_ones = []
    mistakes: list[str] = []

    def start() -> Any:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=["--no-sandbox"],
            accept_downloads=True,
            offline=True,
        )
        context.set_default_timeout(10_000)
        open_ones.append(context)
        context.on("weberror", lambda error: mistakes.append(str(error.error)))
        context.on(
            "console", lambda line: mistakes.append(line.text) if line.type == "error" else 0
        )
        return context.new_page()

    yield start
    open_ones[-1].close()
    assert mistakes == []


def press_answers(page: Any, key: ReaderKey, order: tuple[int, ...]) -> None:
    """Answer some images by keyboard, rightly."""
    for case in order:
        origin, label = key.cases[case].origin, key.cases[case].label
        page.keyboard.press("r" if origin == "real" else "s")
        page.keyboard.press(str(key.classes.index(label) + 1))
        page.keyboard.press("Enter")


def wait_until_kept(profile: Path, context: Any) -> None:
    """Chromium writes local storage when a page closes or, where it is busy, within two minutes."""
    idle, files = context.new_page(), "Default/Local Storage/leveldb/*.log"
    for _ in range(1500):
        if any(b'"at":3' in file.read_bytes() for file in profile.glob(files)):
            return
        idle.wait_for_timeout(100)
    raise AssertionError("the answers did not reach the disk in 150 seconds")


def downloaded(page: Any, button: str, path: Path) -> Path:
    with page.expect_download() as waiting:
        page.click(button)
    assert waiting.value.suggested_filename.endswith("-answers.csv")
    waiting.value.save_as(path)
    return path


def test_a_sitting_by_keyboard_ends_in_a_file_that_is_scored(
    folder: Path, tmp_path: Path, browse: Callable[[], Any]
) -> None:
    key, page = read_key(folder), browse()
    page.goto((folder / "send/reader1.html").as_uri())
    page.click("#begin")
    page.wait_for_timeout(60)  # the clock runs
    page.keyboard.press("Enter")  # without an answer it stays at the first image
    assert page.inner_text("#told") == "Image 1 of 8, 0 answered"
    assert page.is_visible("#missing")
    assert page.evaluate("document.getElementById('image').naturalWidth") == 16
    first, *others = key.orders["reader1"]
    press_answers(page, key, (first,))
    assert not page.is_visible("#missing")
    page.keyboard.press("Backspace")
    pressed = page.locator('[aria-pressed="true"]').all_inner_texts()
    assert [text.split()[-1] for text in pressed] == [
        key.cases[first].origin,
        f"({key.cases[first].label})",
    ]
    page.keyboard.press("Enter")
    press_answers(page, key, tuple(others))
    assert page.inner_text("#left") == "All images have an answer."
    path = downloaded(page, "#download", tmp_path / "reader1-answers.csv")
    answers = read_answers(key, [path])
    assert len(answers) == 8
    assert (answers["said"] == answers["origin"]).all()
    assert (answers["diagnosis"] == answers["label"]).all()
    assert answers.loc[answers["case"] == first, "seconds"].item() > 0


def test_an_interrupted_sitting_goes_on_where_it_stopped(
    folder: Path, tmp_path: Path, browse: Callable[[], Any]
) -> None:
    key, page = read_key(folder), browse()
    place = (folder / "send/reader2.html").as_uri()
    page.goto(place)
    page.click("#begin")
    order = key.orders["reader2"]
    press_answers(page, key, order[:3])
    partial = downloaded(page, "#partial", tmp_path / "partial.csv")
    assert len(read_answers(key, [partial])) == 3
    page.close()
    wait_until_kept(tmp_path / "profile", page.context)
    page.context.close()  # the browser is closed in the middle

    page = browse()
    page.goto(place)
    assert "3 of 8 images are kept" in page.inner_text("#resumed")
    assert page.inner_text("#begin") == "Go on"
    page.set_viewport_size({"width": 390, "height": 500})
    page.click("#begin")
    onward = page.locator("#next").bounding_box()
    assert onward["y"] + onward["height"] <= 500  # in view, although the answers are not
    assert page.inner_text("#told") == "Image 4 of 8, 3 answered"
    press_answers(page, key, order[3:])
    path = downloaded(page, "#download", tmp_path / "whole.csv")
    scores = score_readers(key, read_answers(key, [path]))
    assert scores.origins.loc[0, ["count", "number"]].tolist() == [8, 8]

    # The other reader's page in the same browser knows nothing of these answers.
    page.goto((folder / "send/reader1.html").as_uri())
    assert page.inner_text("#resumed") == ""


def test_two_windows_of_one_page_keep_all_answers(folder: Path, browse: Callable[[], Any]) -> None:
    key, first = read_key(folder), browse()
    second, order = first.context.new_page(), key.orders["reader1"]
    for page in (first, second):  # both are open before anything is answered
        page.goto((folder / "send/reader1.html").as_uri())
    first.bring_to_front()
    first.click("#begin")
    press_answers(first, key, order[:5])
    second.bring_to_front()
    second.wait_for_selector("#elsewhere", state="visible")
    assert "5 of 8 images are kept" in second.inner_text("#resumed")
    second.click("#begin")
    assert second.inner_text("#told") == "Image 6 of 8, 5 answered"
    press_answers(second, key, order[5:6])
    first.bring_to_front()
    first.wait_for_selector("#elsewhere", state="visible")
    # It is told of each half of an answer.
    first.wait_for_function("document.querySelector('#told').innerText.includes('6 answered')")
    assert first.inner_text("#told") == "Image 7 of 8, 6 answered"

    # A window that has heard nothing of the other one does not write over its answers.
    first.evaluate("state = { turn: 0, at: 0, answers: Array.from({ length: number }, blank) }")
    first.keyboard.press("r")
    assert first.inner_text("#told") == "Image 7 of 8, 6 answered"
    for page in (first, second):
        page.close()
    again = first.context.new_page()
    again.goto((folder / "send/reader1.html").as_uri())
    assert "6 of 8 images are kept" in again.inner_text("#resumed")
