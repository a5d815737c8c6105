"""What the tabs have in common: events with messages, galleries, a page within the page."""

import hashlib
import html
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from threading import Lock
from typing import Any, Literal, ParamSpec

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from dermaug.app.opened import Captioned, Opened
from dermaug.aside import written_aside
from dermaug.errors import DermaugError

P = ParamSpec("P")
Mode = Literal["once", "multiple", "always_last"]
"""Further events are dropped, sent as well, or the last one is sent after the answer."""
_ACTING = Lock()
NO_GENERATOR = "This run has no finished generator."


def gallery(label: str, columns: int, value: Any = None, **others: Any) -> gr.Gallery:  # noqa: ANN401
    """Images to look at and to choose from."""
    return gr.Gallery(
        as_files(value or []),
        label=label,
        columns=columns,
        min_width=320,
        height="auto",
        allow_preview=False,
        interactive=False,
        format="png",
        buttons=[],
        **others,
    )


def generator_choice(opened: Opened) -> gr.Dropdown:
    """A list of the generators of a run and their classes."""
    names = list(opened.generators)
    return gr.Dropdown(names, value=names[0], label="Class and generator", scale=3, min_width=400)


def as_files(images: Sequence[Captioned]) -> list[tuple[Path, str]]:
    """Write the images of a gallery as files whose names are those of their content.

    A file is written once. Gradio would write equal images again, while a browser reads them.
    """
    folder, found = Path(get_upload_folder()) / "shown", []
    for image, caption in images:
        path = folder / f"{hashlib.sha256(image.tobytes()).hexdigest()}-{image.shape[0]}.png"
        if not path.exists():
            with written_aside(path) as aside:
                Image.fromarray(image).save(aside)
        found.append((path, caption))
    return found


def does(
    triggers: Any,  # noqa: ANN401
    action: Callable[..., Any],
    inputs: list[Any],
    outputs: list[Any],
    mode: Mode = "always_last",
    js: str | None = None,
    waits: Any = None,  # noqa: ANN401
) -> None:
    """Call an action on events; all actions share one place, so that clicks wait in a row.

    Args:
        triggers: One event or several.
        action: What to call.
        inputs: Components that it reads.
        outputs: Components that it changes.
        mode: What becomes of further events while a window waits for the answer to one.
        js: What the browser does with the inputs before.
        waits: Where the page shows that it waits for the answer; None covers each output.
    """
    gr.on(
        triggers,
        told(action),
        inputs,
        outputs,
        js=js,
        show_progress_on=waits,
        trigger_mode=mode,
        concurrency_limit=1,
        concurrency_id="dermaug",
        api_visibility="private",
    )


def told(action: Callable[P, Any]) -> Callable[P, Any]:
    """Show what a user can mend as a message of the page, which stays as it is."""

    @wraps(action)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401
        try:
            with _ACTING:
                return action(*args, **kwargs)
        except DermaugError as error:
            warn(error)
            return gr.skip()

    return guarded


@contextmanager
def wait_for_actions() -> Iterator[None]:
    """Wait for an action that is still at work at the end: what it writes is then whole."""
    try:
        yield
    finally:
        with _ACTING:
            pass


def warn(error: DermaugError) -> None:
    """Show an error as a message; `gr.Error` would cover each output, and what is chosen there."""
    gr.Warning(html.escape(str(error)))


def frame(document: str) -> str:
    """A page of the report within this one, apart from its styles and without scripts."""
    return (
        f'<iframe title="The answer" sandbox="allow-downloads" srcdoc="{html.escape(document)}" '
        'style="width: 100%; height: 80vh; border: 0; background: white"></iframe>'
    )
