"""The page: four tabs, of which each shows what the module of its name computes."""

import html
from collections.abc import Callable
from typing import Any

import gradio as gr

from dermaug.app.answer import answer_page
from dermaug.app.classifier import DISCLAIMER
from dermaug.app.classifier_tab import classifier_tab
from dermaug.app.components import does, frame
from dermaug.app.generator_tab import generator_tab
from dermaug.app.image_tab import image_tab
from dermaug.app.opened import Opened
from dermaug.app.safety import known
from dermaug.data.class_names import class_words

ALL = "all"
WAITING = 20
"""Clicks that may wait; more are refused with a message."""


class Page(gr.Blocks):  # type: ignore[misc]
    """Refuses values that the components of a page never send, without words in the terminal."""

    async def preprocess_data(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """As in gradio.

        Raises:
            gr.Error: The values cannot be used.
        """
        try:
            return await super().preprocess_data(*args, **kwargs)
        except Exception as error:
            words = error.message if isinstance(error, gr.Error) else "the page sends other values"
            raise gr.Error(html.escape(str(words)), print_exception=False) from None


def page(opened: Opened) -> gr.Blocks:
    """The page of a run."""
    with Page(title="dermaug", analytics_enabled=False) as blocks:
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

    does([one.change for one in chosen], show, chosen, [shown])


TABS: dict[str, Callable[[Opened], None]] = {
    "Answer": answer_tab,
    "Images": image_tab,
    "Generator": generator_tab,
    "Classifier": classifier_tab,
}
