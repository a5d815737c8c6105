"""The tab with real and generated images, and the choice of generated ones by hand."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr
from gradio.context import Context

from dermaug.app.choice import choice_words, flip, rows_excluded, write_chosen
from dermaug.app.components import NO_GENERATOR, as_files, gallery, generator_choice
from dermaug.app.images import Sheet, about_image, copies, generated_sheet, real_sheet
from dermaug.app.opened import Opened, synthetic_set
from dermaug.app.safety import bounded
from dermaug.app.windows import Pointed, Window
from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError
from dermaug.experiment.run.results import GeneratorResult
from dermaug.markdown import as_code

ASKED = (
    "Choose a generated image to see what is nearest to it. Those that the audit of the run counts "
    "as copies of training images are marked."
)
CHANGED = (
    "Nothing was written: another window has changed what is excluded. It is shown now; look at "
    "it, and write again."
)
MOST_SHEETS = 10**6


@dataclass(frozen=True)
class Scene:
    """What a window shows of the generated images.

    Args:
        name: Their generator and class.
        sheet: Which of them, from 1.
        excluded: Rows of the generator's set that are shown as excluded.
        row: Row of the image that is described; None if none is.
    """

    name: str
    sheet: int = 1
    excluded: frozenset[int] = frozenset()
    row: int | None = None


@dataclass(frozen=True, eq=False)
class Choosing:
    """What the events of the tab do; each takes the scene of a window, and gives the next one."""

    opened: Opened

    def generator(self, scene: Scene) -> GeneratorResult:
        """The generator and class of a scene."""
        return self.opened.generator(scene.name)

    def sheet(self, scene: Scene) -> Sheet:
        """The generated images of a scene."""
        return generated_sheet(self.generator(scene), scene.sheet, scene.excluded)

    def open_sheet(self, _: Scene, name: str, place: float, **number: int) -> tuple[Any, ...]:
        """Show a sheet, of which no image is chosen yet."""
        generator, wanted = self.opened.generator(name), bounded(place, 1, MOST_SHEETS, "sheet")
        last = generated_sheet(generator, 1, ()).number
        scene = Scene(name, min(wanted, last), rows_excluded(self.opened, generator))
        label = f"Generated, {class_words(generator.label)}, sheet {scene.sheet}: choose one"
        drawn = gr.Gallery(as_files(self.sheet(scene).images), selected_index=None, label=label)
        counted = gr.Number(label=f"Sheet, 1 to {last:,}", **number)
        return scene, drawn, self.holds(scene), gr.Gallery(visible=False), ASKED, counted

    def turn(self, scene: Scene, name: str, place: float, by: int) -> tuple[Any, ...]:
        """Show the next sheet or the one before; the first and the last stay."""
        last = generated_sheet(self.opened.generator(name), 1, ()).number
        wanted = max(1, min(bounded(place, 1, MOST_SHEETS, "sheet") + by, last))
        return self.open_sheet(scene, name, wanted, value=wanted)

    def another(self, scene: Scene, name: str) -> tuple[Any, ...]:
        """Show another generator, or another class of it, from its first sheet."""
        shown = self.open_sheet(scene, name, 1, value=1)
        return *shown, as_files(real_sheet(self.opened, self.opened.generator(name)))

    def holds(self, scene: Scene) -> str:
        """What would be written."""
        words = choice_words(self.generator(scene), scene.excluded)
        return (
            f"The set of {_origin(self.generator(scene))} without what is excluded: **{words}**. "
            "All classes of a generator are written together."
        )

    def look(self, scene: Scene, event: Pointed) -> tuple[Any, ...]:
        """Show what is known of the chosen image."""
        shown = self.sheet(scene)
        row = shown.rows[event.among(shown.images)]
        near, about = about_image(self.opened, self.generator(scene), row)
        chosen = gr.Gallery(selected_index=shown.rows.index(row))
        return (
            replace(scene, row=row),
            chosen,
            gr.Gallery(as_files(near), visible=bool(near)),
            about,
        )

    def nothing_chosen(self, scene: Scene, _: str) -> tuple[Any, ...]:
        """Take back that an image is chosen."""
        unmarked = gr.Gallery(selected_index=None)
        return replace(scene, row=None), unmarked, gr.Gallery(visible=False), ASKED

    def flip(self, scene: Scene) -> tuple[Any, ...]:
        """Exclude the chosen image, or take it back."""
        if scene.row is None:
            raise DermaugError("choose a generated image first")
        return self._flipped(scene, [scene.row])

    def flip_sheet(self, scene: Scene) -> tuple[Any, ...]:
        """Exclude all images of a sheet, or take all of them back."""
        return self._flipped(scene, self.sheet(scene).rows)

    def flip_copies(self, scene: Scene) -> tuple[Any, ...]:
        """Exclude all images of a class that count as copies, or take all of them back."""
        generator = self.generator(scene)
        if not (found := copies(generator, synthetic_set(generator))):
            raise DermaugError("the audit of the run counts no image of this class as a copy")
        return self._flipped(scene, found)

    def _flipped(self, scene: Scene, rows: Collection[int]) -> tuple[Any, ...]:
        after = flip(self.opened, self.generator(scene), rows, scene.excluded)
        return *self._now(scene, after), ""

    def _now(self, scene: Scene, excluded: frozenset[int]) -> tuple[Any, ...]:
        after = replace(scene, excluded=excluded)
        return after, as_files(self.sheet(after).images), self.holds(after)

    def save(self, scene: Scene, folder: str | None) -> tuple[Any, ...]:
        """Write the set without what is excluded, if that is what the window shows."""
        generator = self.generator(scene)
        if (excluded := rows_excluded(self.opened, generator)) != scene.excluded:
            return *self._now(scene, excluded), CHANGED
        path = write_chosen(self.opened, generator, excluded, folder)
        what = f"the set of {_origin(generator)} without what was excluded"
        said = f"Written: {as_code(path)}: {what}: {choice_words(generator, excluded)}."
        return *self._now(scene, excluded), said


def image_tab(opened: Opened) -> None:
    """Real and generated images, and the choice by hand."""
    if not opened.generators:
        gr.Markdown(NO_GENERATOR)
        return
    do = Choosing(opened)
    with gr.Row(equal_height=True):
        which = generator_choice(opened)
        back = gr.Button("Previous sheet")
        place = gr.Number(1, label="Sheet")
        onward = gr.Button("Next sheet")
    with gr.Row():
        real = gallery("Real: some training images", 5)
        drawn = gallery("Generated", 5, elem_id="drawn")
    with gr.Row():
        near = gallery("Nearest training images, one per lesion", 3, visible=False)
        with gr.Column(min_width=320):
            about = gr.Markdown(ASKED)
    with gr.Row():
        toggle = gr.Button("Exclude this image, or take it back")
        toggle_all = gr.Button("Exclude this sheet, or take it back")
        toggle_copies = gr.Button("Exclude all copies of this class, or take them back")
    holds = gr.Markdown()
    with gr.Row(equal_height=True):
        name = gr.Textbox("chosen", label=f"New folder in {opened.output}", max_length=100)
        write = gr.Button("Write the set without excluded images", variant="primary")
    said = gr.Markdown()
    window = Window(Scene(next(iter(opened.generators))))
    described = [drawn, near, about]
    shown = [drawn, holds, near, about, place]
    window.shows([Context.root_block.load, which.change], do.another, [which], [*shown, real])
    window.shows(place.input, do.open_sheet, [which, place], shown)
    for button, by in ((back, -1), (onward, 1)):
        window.shows(button.click, partial(do.turn, by=by), [which, place], shown)
    window.points(drawn.select, do.look, described, do.nothing_chosen)
    for button, action in (
        (toggle, do.flip),
        (toggle_all, do.flip_sheet),
        (toggle_copies, do.flip_copies),
    ):
        window.acts(button.click, action, [], [drawn, holds], said)
    window.acts(write.click, do.save, [name], [drawn, holds], said)


def _origin(generator: GeneratorResult) -> str:
    return f"{generator.family}, fold {generator.fold}, seed {generator.seed}"
