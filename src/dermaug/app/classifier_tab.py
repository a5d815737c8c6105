"""The tab in which a classifier of the run looks at an uploaded image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from dermaug.app.classifier import DISCLAIMER, ask
from dermaug.app.components import as_files, gallery
from dermaug.app.opened import Opened
from dermaug.app.safety import known
from dermaug.app.windows import Window
from dermaug.errors import DermaugError
from dermaug.markdown import as_code

WHICH = (
    "All folds and seeds of an arm are trained alike: take the first one of the arm that does "
    "better by the answer, or of the baseline, and not the one that looks best here."
)


@dataclass(frozen=True)
class Chosen:
    """What a window shows as chosen: a classifier, and an uploaded file if there is one."""

    name: str
    path: str | None = None


@dataclass(frozen=True, eq=False)
class Looking:
    """What the events of the tab do."""

    opened: Opened

    def choose(self, _: Chosen, name: str, path: str | None) -> tuple[Any, ...]:
        """Take a classifier and a file, of which nothing is known yet."""
        chosen = Chosen(known(name, list(self.opened.trials), "classifier"), path)
        # Only then is there something to look at.
        ready = gr.Button(interactive=path is not None)
        return chosen, [], "", gr.Gallery(visible=False), "", "", ready

    def look(self, chosen: Chosen) -> tuple[Any, ...]:
        """Show what the classifier says of the file."""
        if chosen.path is None:
            raise DermaugError("choose an image first")
        path = Path(chosen.path)
        try:
            content = path.read_bytes()
        except OSError:
            raise DermaugError("the file is no longer there: upload it again") from None
        found = ask(self.opened, self.opened.trials[chosen.name], content)
        asked = f"{as_code(path.name)}, as {as_code(chosen.name)} sees it"
        warned = f"**{DISCLAIMER}**\n\n{asked}\n\n{found.words}"
        images = gr.Gallery(as_files(found.nearest.images), visible=True)
        probabilities = found.table.to_html(index=False, border=0, justify="left")
        seen, listed = as_files(found.seen), found.nearest.listed
        return chosen, seen, probabilities, images, listed, warned


def classifier_tab(opened: Opened) -> None:
    """A classifier of the run looks at an uploaded image."""
    names = list(opened.trials)
    if not names:
        gr.Markdown("This run has no finished classifier.")
        return
    do = Looking(opened)
    with gr.Row():
        with gr.Column():
            which = gr.Dropdown(names, value=names[0], label="Classifier", info=WHICH)
            file = gr.File(label="Image of a lesion", height=160)
            start = gr.Button("Look at the image", variant="primary", interactive=False)
        seen = gallery("What the network sees, and Grad-CAM", 2)
    words, window, table = gr.Markdown(), Window(Chosen(names[0])), gr.HTML()
    near = gallery("Nearest training lesions, as this network sees them", 6, visible=False)
    listed = gr.Markdown()
    results = [seen, table, near, listed]
    window.shows([which.change, file.change], do.choose, [which, file], [*results, words, start])
    window.acts(start.click, do.look, [], results, words)
