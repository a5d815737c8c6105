"""The tabs on generators: what they have drawn for the run, and what they draw on request."""

from functools import partial
from typing import Any

import gradio as gr

from dermaug.app.choice import (
    Excluded,
    choice_words,
    rows_excluded,
    with_flipped,
    write_chosen,
)
from dermaug.app.components import as_files, does, gallery
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
from dermaug.app.images import Sheet, about_image, copies, generated_sheet, real_sheet
from dermaug.app.opened import Captioned, Opened, synthetic_set
from dermaug.app.safety import bounded, known
from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment.run.results import GeneratorResult

NO_GENERATOR = "This run has no finished generator."
ASKED = (
    "Choose a generated image to see what is nearest to it. Those that the audit of the run counts "
    "as copies of training images are marked."
)
MOST_SHEETS = 10**6


class Choosing:
    """What the events of the images' tab do.

    Args:
        opened: The run, with a generator.
    """

    def __init__(self, opened: Opened) -> None:
        self.opened, self.generators = opened, opened.generators
        self.names = list(self.generators)

    def generator(self, name: str) -> GeneratorResult:
        """The generator of a name."""
        return self.generators[known(name, self.names, "generator")]

    def sheet(self, name: str, place: float, out: Excluded) -> Sheet:
        """Some of its images."""
        wanted, generator = bounded(place, 1, MOST_SHEETS, "sheet"), self.generator(name)
        return generated_sheet(generator, wanted, rows_excluded(generator, out))

    def open_sheet(self, name: str, place: float, out: Excluded) -> tuple[Any, ...]:
        """Show a sheet, of which no image is chosen yet."""
        shown = self.sheet(name, place, out)
        drawn = gr.Gallery(as_files(shown.images), selected_index=None)
        number = gr.Number(label=f"Sheet, 1 to {shown.number:,}")
        return drawn, number, None, gr.Gallery(visible=False), ASKED

    def turn(self, name: str, place: float, by: int) -> int:
        """The next sheet or the one before; the first and the last stay."""
        wanted = bounded(place, 1, MOST_SHEETS, "sheet") + by
        return max(1, min(wanted, generated_sheet(self.generator(name), 1, ()).number))

    def another(self, name: str, out: Excluded) -> tuple[Any, ...]:
        """Show another generator, or another class of it, from its first sheet."""
        drawn, _, *nothing_chosen = self.open_sheet(name, 1, out)
        real = as_files(real_sheet(self.opened, self.generator(name)))
        return drawn, 1, *nothing_chosen, real, self.holds(name, out), ""

    def again(self, name: str, place: float, out: Excluded) -> tuple[Any, ...]:
        """Show what has become of the sheet, and of what would be, and not yet is, written."""
        return as_files(self.sheet(name, place, out).images), self.holds(name, out), ""

    def holds(self, name: str, out: Excluded) -> str:
        """What would be written."""
        generator = self.generator(name)
        origin = f"{generator.family}, fold {generator.fold}, seed {generator.seed}"
        return (
            f"The set of {origin} without what is excluded: **{choice_words(generator, out)}**. "
            "All classes of a generator are written together."
        )

    def look(self, name: str, place: float, event: gr.SelectData) -> tuple[Any, str, int]:
        """Show what is known of the chosen image."""
        shown = self.sheet(name, place, {}).rows
        row = shown[bounded(event.index, 0, len(shown) - 1, "image")]
        near, about = about_image(self.opened, self.generator(name), row)
        return gr.Gallery(as_files(near), visible=bool(near)), about, row

    def flip(self, name: str, row: int | None, out: Excluded) -> Excluded:
        """Exclude the chosen image, or take it back."""
        if row is None:
            raise DermaugError("choose a generated image first")
        return with_flipped(self.generator(name), [row], out)

    def flip_sheet(self, name: str, place: float, out: Excluded) -> Excluded:
        """Exclude all images of a sheet, or take all of them back."""
        return with_flipped(self.generator(name), self.sheet(name, place, out).rows, out)

    def flip_copies(self, name: str, out: Excluded) -> Excluded:
        """Exclude all images of a class that count as copies, or take all of them back."""
        generator = self.generator(name)
        if not (found := copies(generator, synthetic_set(generator))):
            raise DermaugError("the audit of the run counts no image of this class as a copy")
        return with_flipped(generator, found, out)

    def save(self, name: str, out: Excluded, folder: str) -> str:
        """Write the set without what is excluded."""
        generator = self.generator(name)
        path = write_chosen(self.opened, generator, out, folder)
        return f"Written: `{path}`: {choice_words(generator, out)}."


def image_tab(opened: Opened) -> None:
    """Real and generated images, and the choice by hand."""
    if not opened.generators:
        gr.Markdown(NO_GENERATOR)
        return
    do = Choosing(opened)
    first = do.names[0]
    shown = generated_sheet(do.generator(first), 1, ())
    with gr.Row(equal_height=True):
        which = _which(do.names)
        back = gr.Button("Previous sheet")
        sheets = f"Sheet, 1 to {shown.number:,}"
        place = gr.Number(1, label=sheets)
        onward = gr.Button("Next sheet")
    run = RunRecord.read(opened.run.files.record).id
    excluded = gr.BrowserState({}, storage_key=f"dermaug-{run}", secret=run)
    row = gr.State(None)
    with gr.Row():
        real = gallery("Real: some training images", 5, real_sheet(opened, do.generator(first)))
        drawn = gallery("Generated: choose one", 5, shown.images, elem_id="drawn")
    with gr.Row():
        near = gallery("Nearest training images, one per lesion", 3, visible=False)
        with gr.Column(min_width=320):
            about = gr.Markdown(ASKED)
    with gr.Row():
        toggle = gr.Button("Exclude this image, or take it back")
        toggle_all = gr.Button("Exclude this sheet, or take it back")
        toggle_copies = gr.Button("Exclude all copies of this class, or take them back")
    holds = gr.Markdown(do.holds(first, {}))
    with gr.Row(equal_height=True):
        name = gr.Textbox("chosen", label=f"New folder in {opened.output}", max_length=100)
        write = gr.Button("Write the set without excluded images", variant="primary")
    said = gr.Markdown()
    opens = [drawn, place, row, near, about]
    does(place.change, do.open_sheet, [which, place, excluded], opens)
    for button, by in ((back, -1), (onward, 1)):
        does(button.click, partial(do.turn, by=by), [which, place], place)
    does(which.change, do.another, [which, excluded], [*opens, real, holds, said])
    does(drawn.select, do.look, [which, place], [near, about, row])
    does(toggle.click, do.flip, [which, row, excluded], excluded)
    does(toggle_all.click, do.flip_sheet, [which, place, excluded], excluded)
    does(toggle_copies.click, do.flip_copies, [which, excluded], excluded)
    does(excluded.change, do.again, [which, place, excluded], [drawn, holds, said])
    does(write.click, do.save, [which, excluded, name], said)


def _which(names: list[str]) -> gr.Dropdown:
    return gr.Dropdown(names, value=names[0], label="Class and generator", scale=3, min_width=400)


class Drawing(Choosing):
    """What the events of the generators' tab do."""

    def asked(self, name: str, number: float, seed: float) -> tuple[GeneratorResult, int, int]:
        """A generator, a number of images and a seed."""
        images = bounded(number, 1, MOST_IMAGES, "images")
        return self.generator(name), images, bounded(seed, 0, LARGEST_SEED, "seed")

    def plain(self, name: str, number: float, seed: float, cut: float) -> tuple[Any, ...]:
        """Draw a class."""
        return _shown(draw_class(self.opened, *self.asked(name, number, seed), cut))

    def along(self, name: str, seed: float) -> tuple[Any, ...]:
        """Draw a path."""
        generator, _, own = self.asked(name, 1, seed)
        return _shown(draw_path(self.opened, generator, own))

    def alike(self, number: float, chosen: int | None, last: Drawn | None) -> tuple[Any, ...]:
        """Draw more like the chosen image."""
        if last is None or chosen is None:
            raise DermaugError("draw images and choose one of them first")
        images = bounded(number, 1, MOST_IMAGES, "images")
        return _shown(draw_alike(self.opened, last, chosen, images))

    def across(
        self, name: str, number: float, seed: float, image: str, kept: float
    ) -> tuple[Any, ...]:
        """Translate a real image."""
        generator, images, own = self.asked(name, number, seed)
        return _shown(draw_translated(self.opened, generator, image.strip(), images, own, kept))

    def other(self, name: str) -> tuple[Any, ...]:
        """Show what another generator's family has."""
        sampler, _ = self.opened.sampler(self.generator(name))
        shown, ids = training_sample(self.opened, self.generator(name))
        cut = gr.Slider(value=1, visible=sampler.truncates)
        translation = gr.Accordion(visible=sampler.translates())
        return cut, translation, as_files(shown), ids[0], *_made(None, [], "")

    def pick_real(self, name: str, event: gr.SelectData) -> str:
        """The id of the chosen training image."""
        _, ids = training_sample(self.opened, self.generator(name))
        return ids[bounded(event.index, 0, len(ids) - 1, "image")]

    def keep(self, last: Drawn | None, folder: str) -> str:
        """Save what was drawn."""
        if last is None:
            raise DermaugError("draw images first")
        return f"Written: `{save_drawn(self.opened, last, folder)}`"


def generator_tab(opened: Opened) -> None:
    """Drawing with the generators of the run."""
    if not opened.generators:
        gr.Markdown(NO_GENERATOR)
        return
    do = Drawing(opened)
    first = do.names[0]
    sampler, _ = opened.sampler(do.generator(first))
    with gr.Row():
        which = _which(do.names)
        number = gr.Slider(1, MOST_IMAGES, value=16, step=1, label="Images")
        seed = gr.Number(0, label="Seed")
        cut = gr.Slider(
            *(0.1, 1, 1),
            step=0.05,
            label="Truncation",
            info="Below 1: images are more alike.",
            visible=sampler.truncates,
        )
    with gr.Row():
        draw, path = gr.Button("Draw", variant="primary"), gr.Button("Interpolate")
        more = gr.Button("More like the chosen image", interactive=False)
    with gr.Accordion(
        "Translate a training image", open=False, visible=sampler.translates()
    ) as box:
        shown, ids = training_sample(opened, do.generator(first))
        real = gallery("Some training images of this generator: choose one", 8, shown)
        with gr.Row(equal_height=True):
            image_id = gr.Textbox(ids[0], label="Training image", max_length=200)
            kept = gr.Slider(0, 0.95, 0.5, step=0.05, label="How much of it is kept")
            translate = gr.Button("Translate")
    made = gallery("Drawn: choose one for more like it", 8, elem_id="made")
    said, last, chosen = gr.Markdown(), gr.State(None), gr.State(None)
    with gr.Row(equal_height=True):
        name = gr.Textbox(label=f"New folder in {opened.output}", max_length=100)
        save = gr.Button("Save with provenance")
    written = gr.Markdown()
    results = [made, said, last, chosen, more, written]
    does(draw.click, do.plain, [which, number, seed, cut], results)
    does(path.click, do.along, [which, seed], results)
    does(more.click, do.alike, [number, chosen, last], results)
    does(translate.click, do.across, [which, number, seed, image_id, kept], results)
    does(which.change, do.other, which, [cut, box, real, image_id, *results])
    does(made.select, _picked, None, [chosen, more])
    does(real.select, do.pick_real, which, image_id)
    does(save.click, do.keep, [last, name], written)


def _picked(event: gr.SelectData) -> tuple[int, Any]:
    return bounded(event.index, 0, MOST_IMAGES, "image"), gr.Button(interactive=True)


def _shown(drawn: Drawn) -> tuple[Any, ...]:
    """What was drawn, and by which generator."""
    images = [(image, str(place)) for place, image in enumerate(drawn.images)]
    one = drawn.generator
    origin = f"{class_words(one.label)}, {one.family} of fold {one.fold}, seed {one.seed}"
    return _made(drawn, images, f"{origin}: {drawn.how}")


def _made(last: Drawn | None, images: list[Captioned], how: str) -> tuple[Any, ...]:
    """Show images; until one is chosen, there is nothing to draw more like it."""
    made, more = gr.Gallery(as_files(images), selected_index=None), gr.Button(interactive=False)
    return made, how, last, None, more, ""
