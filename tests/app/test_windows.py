"""Clicks that are answered late, out of order, or beside those of other windows."""

import json
import threading
import time
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
import pytest

from dermaug.app.choice import Excluded
from dermaug.app.classifier_tab import Chosen, Looking
from dermaug.app.components import as_files, told, wait_for_actions
from dermaug.app.generator_tab import Drawing, Draws
from dermaug.app.image_tab import CHANGED, Choosing, Scene
from dermaug.app.opened import Opened, synthetic_set
from dermaug.app.windows import OUT_OF_DATE, Action, Event, Held, Pointed
from dermaug.errors import DermaugError
from dermaug.synthesis.synthetic_set import read_synthetic_set


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that the page shows: they need a request of a browser."""
    found: list[str] = []
    monkeypatch.setattr(gr, "Warning", found.append)
    return found


class Browser:
    """A window: sends its ticket with each click, and nothing until an answer brings the next."""

    def __init__(self, shown: Any) -> None:
        self.ticket, self.held = "first", Held("first", shown)

    def click(self) -> str:
        """The ticket of a click."""
        ticket, self.ticket = self.ticket, ""
        return ticket

    def answered(self, action: Action, ticket: str, *values: Any, acts: bool = True) -> list[Any]:
        """What the server answers to a click."""
        event: Event[Any] = Event(action, lambda shown, _: (shown,), acts)
        following, self.held, *outputs = event.answer(ticket, self.held, *values)
        if isinstance(following, str):
            self.ticket = following
        return outputs


def generator_of(opened: Opened, family: str, label: str) -> str:
    return next(
        name
        for name, one in opened.generators.items()
        if (one.family, one.label) == (family, label)
    )


def opened_on(do: Choosing, name: str) -> Scene:
    return do.another(Scene(name), name)[0]


def test_what_is_clicked_before_an_answer_is_refused_in_whatever_order_it_arrives(
    opened: Opened, warned: list[str]
) -> None:
    do = Choosing(opened)
    name = generator_of(opened, "dcgan", "mel")
    for order in (1, -1):
        window = Browser(opened_on(do, name))
        clicks = [
            (do.flip_sheet, window.click(), ()),
            (do.save, window.click(), ("chosen",)),
        ]
        for action, ticket, values in clicks[::order]:
            window.answered(action, ticket, *values)
        assert warned == [OUT_OF_DATE]
        assert not (opened.output / "chosen").exists()
        rows = set(do.sheet(window.held.shown).rows)
        assert window.held.shown.excluded == rows  # the first click is answered, and can be undone
        window.answered(do.flip_sheet, window.click())
        assert window.held.shown.excluded == set()
        warned.clear()


def test_an_image_of_a_class_that_nobody_has_seen_is_never_excluded(
    opened: Opened, warned: list[str]
) -> None:
    do = Choosing(opened)
    mel, nv = (generator_of(opened, "flow", label) for label in ("mel", "nv"))
    for order in (1, -1):
        window = Browser(replace(opened_on(do, mel), row=0))
        clicks: list[tuple[Action, str, tuple[str, ...], bool]] = [
            (do.another, window.click(), (nv,), False),
            (do.flip, window.click(), (), True),
        ]
        for action, ticket, values, acts in clicks[::order]:
            window.answered(action, ticket, *values, acts=acts)
        assert warned.pop() == OUT_OF_DATE
        assert window.held.shown == Scene(nv)
        window.answered(do.flip, window.click())
        assert warned.pop() == "choose a generated image first"
        assert window.ticket  # a mistake is no obstacle
    assert Excluded.of(opened).rows == {}


def test_two_windows_exclude_together_and_write_what_they_show(
    opened: Opened, warned: list[str]
) -> None:
    do, name = Choosing(opened), generator_of(opened, "dcgan", "mel")
    one, other = (Browser(opened_on(do, name)) for _ in range(2))
    for window, row in ((one, 0), (one, 1), (other, 5), (other, 0)):
        window.held = replace(window.held, shown=replace(window.held.shown, row=row))
        window.answered(do.flip, window.click())
    assert other.held.shown.excluded == {1, 5}  # 0 was shown as excluded after 5
    *_, said = one.answered(do.save, one.click(), "chosen")
    assert said == CHANGED
    assert not (opened.output / "chosen").exists()
    assert one.held.shown.excluded == {1, 5}
    *_, said = one.answered(do.save, one.click(), "chosen")
    number = len(synthetic_set(opened.generators[name]).labels)
    assert f"{number - 2} images of 1 class, 2 excluded" in said
    assert len(read_synthetic_set(opened.output / "chosen").labels) == number - 2
    assert warned == []


def test_what_was_excluded_stays_excluded_when_another_class_is_shown(opened: Opened) -> None:
    do = Choosing(opened)
    mel, nv = (generator_of(opened, "flow", label) for label in ("mel", "nv"))
    whole = synthetic_set(opened.generators[mel])
    last = len(whole.labels) - 1
    assert [whole.labels[0], whole.labels[last]] == ["mel", "nv"]
    for name, row in ((mel, 0), (mel, 2), (nv, last)):
        scene, _, holds, _ = do.flip(replace(opened_on(do, name), row=row))
    what = f"{last + 1 - 3} images of 2 classes, 3 excluded"
    assert what in holds
    assert "melanoma (mel): images 0, 2" in holds
    assert what in do.save(scene, "chosen")[-1]
    kept = read_synthetic_set(opened.output / "chosen")
    assert kept.latents == tuple(
        each for row, each in enumerate(whole.latents) if row not in (0, 2, last)
    )
    assert "0 excluded" in do.holds(opened_on(do, generator_of(opened, "dcgan", "mel")))


def test_only_the_drawing_that_is_shown_is_saved(opened: Opened, warned: list[str]) -> None:
    do = Draws(opened)
    mel, nv = (generator_of(opened, "flow", label) for label in ("mel", "nv"))
    drawn = do.plain(Drawing(mel), mel, 2, 0, 1.0)[0]
    for order in (1, -1):
        window = Browser(drawn)
        clicks: list[tuple[Action, str, tuple[Any, ...], bool]] = [
            (do.other, window.click(), (nv,), False),
            (do.plain, window.click(), (nv, 3, 0, 1.0), False),
            (do.keep, window.click(), ("drawn",), True),
        ]
        for action, ticket, values, acts in clicks[::order]:
            window.answered(action, ticket, *values, acts=acts)
        assert warned.pop() == OUT_OF_DATE
        assert not (opened.output / "drawn").exists()
        assert window.held.shown.drawn.generator is opened.generators[nv]
    (said,) = window.answered(do.keep, window.click(), "a`*b*")
    assert said.startswith(
        f"Written: `` {opened.output}/a`*b* ``: 3 images, melanocytic nevus (nv)"
    )
    assert set(read_synthetic_set(opened.output / "a`*b*").labels) == {"nv"}


def test_an_image_is_chosen_only_where_it_is_shown(opened: Opened) -> None:
    gallery = [(np.full((8, 8, 3), grey, np.uint8), str(grey)) for grey in (1, 2)]

    def pointed(place: Any, grey: int) -> Pointed:
        ((path, words),) = as_files(gallery[grey - 1 : grey])
        value = {"image": {"path": str(path)}, "caption": words}
        return Pointed(None, json.loads(json.dumps({"index": place, "value": value})))

    assert [pointed(place, place + 1).among(gallery) for place in (0, 1)] == [0, 1]
    for place, grey in ((0, 2), (1, 1), (-1, 2), (7, 2), (None, 1), ("0", 1), ([0], 1)):
        with pytest.raises(DermaugError, match="still answering"):
            pointed(place, grey).among(gallery)
    for data in (None, 5, "x", [1], {}, {"index": 0}, {"index": 0, "value": None}):
        with pytest.raises(DermaugError, match="still answering"):
            Pointed(None, data).among(gallery)


def test_a_file_that_is_gone_is_asked_for_again(opened: Opened) -> None:
    name = next(iter(opened.trials))
    for path in (opened.output / "no.png", opened.output.parent):
        with pytest.raises(DermaugError, match="upload it again"):
            Looking(opened).look(Chosen(name, str(path)))


def test_what_is_being_written_is_whole_before_the_page_ends() -> None:
    begun, written = threading.Event(), threading.Event()

    def write() -> None:
        begun.set()
        time.sleep(0.2)
        written.set()

    with wait_for_actions():
        threading.Thread(target=told(write)).start()
        begun.wait()
    assert written.is_set()
