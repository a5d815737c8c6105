"""The tab in which generators draw on request."""

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from dermaug.app.components import NO_GENERATOR, as_files, gallery, generator_choice
from dermaug.app.generator import (
    LARGEST_SEED,
    MOST_IMAGES,
    Drawn,
    draw_alike,
    draw_class,
    draw_path,
    draw_translated,
    save_drawn,
    training_sample,
)
from dermaug.app.opened import Captioned, Opened
from dermaug.app.safety import bounded
from dermaug.app.windows import Pointed, Window
from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError
from dermaug.experiment.run.results import GeneratorResult
from dermaug.markdown import as_code


@dataclass(frozen=True, eq=False)
class Drawing:
    """What a window shows of a generator.

    Args:
        name: The generator, and class, of which training images are shown.
        drawn: What was drawn last, by it or an earlier one; None if nothing is shown.
        chosen: Which of the drawn images is chosen; None if none is.
    """

    name: str
    drawn: Drawn | None = None
    chosen: int | None = None


@dataclass(frozen=True, eq=False)
class Draws:
    """What the events of the tab do; each takes what a window shows, and gives the next."""

    opened: Opened

    def asked(self, name: str, number: float, seed: float) -> tuple[GeneratorResult, int, int]:
        """A generator, a number of images and a seed."""
        images = bounded(number, 1, MOST_IMAGES, "images")
        return self.opened.generator(name), images, bounded(seed, 0, LARGEST_SEED, "seed")

    def plain(
        self, shown: Drawing, name: str, number: float, seed: float, cut: float
    ) -> tuple[Any, ...]:
        """Draw a class."""
        return _made(shown, draw_class(self.opened, *self.asked(name, number, seed), cut))

    def along(self, shown: Drawing, name: str, seed: float) -> tuple[Any, ...]:
        """Draw a path."""
        generator, _, own = self.asked(name, 1, seed)
        return _made(shown, draw_path(self.opened, generator, own))

    def alike(self, shown: Drawing, number: float) -> tuple[Any, ...]:
        """Draw more like the chosen image."""
        if shown.drawn is None or shown.chosen is None:
            raise DermaugError("draw images and choose one of them first")
        images = bounded(number, 1, MOST_IMAGES, "images")
        return *_made(shown, draw_alike(self.opened, shown.drawn, shown.chosen, images)), ""

    def across(
        self, shown: Drawing, name: str, number: float, seed: float, image: str | None, kept: float
    ) -> tuple[Any, ...]:
        """Translate a real image."""
        generator, images, own = self.asked(name, number, seed)
        real = (image or "").strip()
        return _made(shown, draw_translated(self.opened, generator, real, images, own, kept))

    def other(self, shown: Drawing, name: str) -> tuple[Any, ...]:
        """Show what another generator's family has, and of what was drawn only its own."""
        generator = self.opened.generator(name)
        own = shown.drawn if shown.drawn and shown.drawn.generator is generator else None
        sampler, _ = self.opened.sampler(generator)
        sample, ids = training_sample(self.opened, generator)
        cut = gr.Slider(value=1, visible=sampler.truncates)
        translation = gr.Accordion(visible=sampler.translates())
        return *_made(Drawing(name), own), cut, translation, as_files(sample), ids[0]

    def pick(self, shown: Drawing, event: Pointed) -> tuple[Any, ...]:
        """Choose one of the drawn images."""
        place = event.among(_captioned(shown.drawn))
        chosen = gr.Gallery(selected_index=place)
        return replace(shown, chosen=place), chosen, gr.Button(interactive=True)

    def nothing_chosen(self, shown: Drawing, _: str) -> tuple[Any, ...]:
        """Take back that an image is chosen."""
        unmarked = gr.Gallery(selected_index=None)
        return replace(shown, chosen=None), unmarked, gr.Button(interactive=False)

    def pick_real(self, shown: Drawing, event: Pointed) -> tuple[Any, ...]:
        """The id of the chosen training image."""
        sample, ids = training_sample(self.opened, self.opened.generator(shown.name))
        return shown, ids[event.among(sample)]

    def keep(self, shown: Drawing, folder: str | None) -> tuple[Any, ...]:
        """Save what was drawn."""
        if shown.drawn is None:
            raise DermaugError("draw images first")
        path, number = save_drawn(self.opened, shown.drawn, folder), len(shown.drawn.images)
        return shown, f"Written: {as_code(path)}: {number:,} images, {_how(shown.drawn)}."


def generator_tab(opened: Opened) -> None:
    """Drawing with the generators of the run."""
    if not opened.generators:
        gr.Markdown(NO_GENERATOR)
        return
    do, first = Draws(opened), Drawing(next(iter(opened.generators)))
    sampler, _ = opened.sampler(opened.generator(first.name))
    with gr.Row():
        which = generator_choice(opened)
        number = gr.Slider(1, MOST_IMAGES, value=16, step=1, label="Images")
        seed = gr.Number(0, label="Seed")
        cut = gr.Slider(
            *(0.1, 1, 1),
            step=0.05,
            label="Truncation",
            info="Below 1: more alike.",
            visible=sampler.truncates,
        )
    with gr.Row():
        draw, path = gr.Button("Draw", variant="primary"), gr.Button("Interpolate")
        more = gr.Button("More like the chosen image", interactive=False)
    with gr.Accordion(
        "Translate a training image", open=False, visible=sampler.translates()
    ) as box:
        sample, ids = training_sample(opened, opened.generator(first.name))
        real = gallery("Some training images of this generator: choose one", 8, sample)
        with gr.Row(equal_height=True):
            image_id = gr.Textbox(ids[0], label="Training image", max_length=200)
            kept = gr.Slider(0, 0.95, 0.5, step=0.05, label="How much of it is kept")
            translate = gr.Button("Translate")
    made = gallery("Drawn: choose one for more like it", 8, elem_id="made")
    how = gr.Markdown()
    with gr.Row(equal_height=True):
        name = gr.Textbox(label=f"New folder in {opened.output}", max_length=100)
        save = gr.Button("Save with provenance")
    said, window = gr.Markdown(), Window(first)
    results = [made, more, how]
    window.shows(draw.click, do.plain, [which, number, seed, cut], results)
    window.shows(path.click, do.along, [which, seed], results)
    window.shows(translate.click, do.across, [which, number, seed, image_id, kept], results)
    window.shows(which.change, do.other, [which], [*results, cut, box, real, image_id])
    window.points(made.select, do.pick, [made, more], do.nothing_chosen)
    window.points(real.select, do.pick_real, [image_id])
    window.acts(more.click, do.alike, [number], results, said)
    window.acts(save.click, do.keep, [name], [], said)


def _made(shown: Drawing, drawn: Drawn | None) -> tuple[Any, ...]:
    """Show images; until one is chosen, there is nothing to draw more like it."""
    made = gr.Gallery(as_files(_captioned(drawn)), selected_index=None)
    how = _how(drawn) if drawn else ""
    return replace(shown, drawn=drawn, chosen=None), made, gr.Button(interactive=False), how


def _captioned(drawn: Drawn | None) -> list[Captioned]:
    return [(image, str(place)) for place, image in enumerate(drawn.images)] if drawn else []


def _how(drawn: Drawn) -> str:
    """By which generator images were drawn, and how."""
    one = drawn.generator
    origin = f"{class_words(one.label)}, {one.family} of fold {one.fold}, seed {one.seed}"
    return f"{origin}: {drawn.how}"
