"""What the tabs have in common: events with messages, galleries, a page within the page."""

import hashlib
import html
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from dermaug.app.opened import Captioned
from dermaug.aside import written_aside
from dermaug.errors import DermaugError

P = ParamSpec("P")


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


def does(trigger: Any, action: Callable[..., Any], inputs: Any, outputs: Any) -> None:  # noqa: ANN401
    """Call an action on an event; all actions share one place, so that clicks wait in a row."""
    trigger(
        told(action),
        inputs,
        outputs,
        concurrency_limit=1,
        concurrency_id="dermaug",
        api_visibility="private",
    )


def told(action: Callable[P, Any]) -> Callable[P, Any]:
    """Show what a user can mend as a message of the page, which stays as it is.

    `gr.Error` would cover each output, and whatever is to be chosen there.
    """

    @wraps(action)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401
        try:
            return action(*args, **kwargs)
        except DermaugError as error:
            gr.Warning(html.escape(str(error)))
            return gr.skip()

    return guarded


def frame(document: str) -> str:
    """A page of the report within this one, apart from its styles and without scripts."""
    return (
        f'<iframe title="The answer" sandbox="allow-downloads" srcdoc="{html.escape(document)}" '
        'style="width: 100%; height: 80vh; border: 0; background: white"></iframe>'
    )
