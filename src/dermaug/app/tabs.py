"""The page: four tabs, of which each shows what the module of its name computes."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from dermaug.app.answer import answer_page
from dermaug.app.classifier import DISCLAIMER, ask
from dermaug.app.components import as_files, does, frame, gallery
from dermaug.app.drawing_tabs import generator_tab, image_tab
from dermaug.app.opened import Opened
from dermaug.app.safety import known
from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError

ALL = "all"
WHICH = (
    "All folds and seeds of an arm are trained alike: take the first one of the arm that does "
    "better by the answer, or of the baseline, and not the one that looks best here."
)
WAITING = 20
"""Clicks that may wait; more are refused with a message."""


def page(opened: Opened) -> gr.Blocks:
    """The page of a run."""
    with gr.Blocks(title="dermaug", analytics_enabled=False) as blocks:
        gr.Markdown(f"## dermaug: {html.escape(opened.results.experiment.name)}\n\n{DISCLAIMER}")
        for name, build in TABS.items():
            with gr.Tab(name):
                build(opened)
    blocks.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)
    return blocks


def answer_tab(opened: Opened) -> None:
    """Verdicts, ladder and curves."""
    verdicts = opened.scoring.verdicts
    models, arms = (sorted(set(verdicts[name])) for name in ("model", "arm"))
    classes = list(opened.results.catalog.classes)
    in_full = [(class_words(label), label) for label in classes]
    with gr.Row():
        chosen = [
            gr.Dropdown([ALL, *names], value=ALL, label=label, info=info)
            for label, names, info in (
                ("Class", in_full, "in the verdicts by class, below"),
                ("Arm", arms, "in the verdicts and figures, below"),
                ("Network", models, "in the verdicts and figures, below"),
            )
        ]
    shown = gr.HTML(frame(answer_page(opened)))

    def show(label: str, arm: str, model: str) -> str:
        asked = [
            known(value, [ALL, *names], what)
            for value, names, what in (
                (model, models, "network"),
                (arm, arms, "arm"),
                (label, classes, "class"),
            )
        ]
        return frame(answer_page(opened, *("" if name == ALL else name for name in asked)))

    for one in chosen:
        does(one.change, show, chosen, shown)


def classifier_tab(opened: Opened) -> None:
    """A classifier of the run looks at an uploaded image."""
    trials = opened.trials
    if not trials:
        gr.Markdown("This run has no finished classifier.")
        return
    names = list(trials)
    with gr.Row():
        with gr.Column():
            which = gr.Dropdown(names, value=names[0], label="Classifier", info=WHICH)
            file = gr.File(label="Image of a lesion", height=160)
            start = gr.Button("Look at the image", variant="primary", interactive=False)
        seen = gallery("What the network sees, and Grad-CAM", 2)
    words, table = gr.Markdown(), gr.HTML()
    near = gallery("Nearest training lesions, as this network sees them", 6, visible=False)
    listed = gr.Markdown()

    def look(name: str, path: str | None) -> tuple[Any, ...]:
        if path is None:
            raise DermaugError("choose an image first")
        found = ask(opened, trials[known(name, names, "classifier")], Path(path).read_bytes())
        asked = f"`{Path(path).name.replace('`', '')}`, as `{name}` sees it"
        warned = f"**{DISCLAIMER}**\n\n{asked}\n\n{found.words}"
        images = gr.Gallery(as_files(found.nearest.images), visible=True)
        probabilities = found.table.to_html(index=False, border=0, justify="left")
        return as_files(found.seen), warned, probabilities, images, found.nearest.listed

    def clear(path: str | None) -> tuple[Any, ...]:
        # Only then is there something to look at: what is found later is not cleared.
        ready = gr.Button(interactive=path is not None)
        return [], "", "", gr.Gallery(visible=False), "", ready

    results = [seen, words, table, near, listed]
    for one in (which, file):
        does(one.change, clear, file, [*results, start])
    does(start.click, look, [which, file], results)


TABS: dict[str, Callable[[Opened], None]] = {
    "Answer": answer_tab,
    "Images": image_tab,
    "Generator": generator_tab,
    "Classifier": classifier_tab,
}
