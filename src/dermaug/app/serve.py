"""Serve the page of a run on this machine only."""

import importlib.util
import logging
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from dermaug.app.opened import FOLDER, open_for_page
from dermaug.app.safety import UPLOAD_BYTES, private_folder
from dermaug.console import console
from dermaug.errors import DermaugError
from dermaug.extras import to_install
from dermaug.training.fabric import start_fabric

ADDRESS = "127.0.0.1"
OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_SSR_MODE": "False",
    "HF_HUB_OFFLINE": "1",
}
CONNECTIONS = 64
STYLE = """
/* Galleries are as high as their images, and no label lies on an image. */
.grid-wrap.fixed-height { min-height: 0; max-height: none }
.block:has(.grid-wrap) > label.float { position: static }
/* The arrow of a choice does not lie on its words. */
.secondary-wrap input { margin-right: 1.5rem; text-overflow: ellipsis }
/* A narrow gallery has fewer columns, and a wide table scrolls within itself. */
.grid-container {
  grid-template-columns:
    repeat(auto-fill, minmax(max(5rem, 100% / (var(--grid-cols) + 1)), 1fr)) !important;
}
.html-container { overflow-x: auto }
@media (max-width: 40rem) {
  .html-container :is(th, td) { padding: .2rem !important; font-size: .75rem !important }
  .tab-container button { padding: 0 .4rem }
}
"""

CLOSED: dict[str, Any] = {
    "footer_links": [],
    "run_history": False,
    "allowed_paths": [],
    "show_error": False,
    "ssr_mode": False,
    "mcp_server": False,
    "pwa": False,
    "enable_monitoring": False,
}
"""What of gradio is left out: links, other servers, and whatever tells more than the page."""


def serve(folder: Path, *, data: Path | None, output: Path | None, device: str, port: int) -> None:
    """Show a run until Ctrl-C.

    Args:
        folder: Folder of the run.
        data: New location of its data set; None if it has not moved.
        output: Folder in which new folders of images are made; None takes `RUN/app`.
        device: auto, cpu, cuda or mps.
        port: Port on this machine; 0 takes a free one.

    Raises:
        DermaugError: The extra `app` is not installed, the run cannot be shown, or the port is in
            use.
    """
    require_gradio()
    where = start_fabric(device).device
    opened = open_for_page(folder, data, where, output or folder / FOLDER)
    with listening_on(port) as listening, private_folder() as uploads:
        os.environ |= OFFLINE | {"GRADIO_TEMP_DIR": uploads}
        # gradio reads its settings from the environment when it is imported.
        import fastapi
        import gradio as gr
        import uvicorn

        from dermaug.app.components import wait_for_actions
        from dermaug.app.guard import Guard
        from dermaug.app.tabs import page

        own_port = listening.getsockname()[1]
        served = gr.mount_gradio_app(
            fastapi.FastAPI(openapi_url=None),
            page(opened),
            "/",
            server_name=ADDRESS,
            server_port=own_port,
            css=STYLE,
            blocked_paths=[str(folder.resolve())],
            max_file_size=UPLOAD_BYTES,
            **CLOSED,
            theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        )
        config = uvicorn.Config(
            Guard(served, own_port, Path(uploads)),
            log_level="warning",
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=2,
        )
        console.print(f"open http://{ADDRESS}:{own_port} in a browser; Ctrl-C ends the page")
        # A browser that still listens is cut off: that is no error.
        logging.getLogger("uvicorn.error").addFilter(lambda told: "Cancel" not in told.msg)
        with suppress(KeyboardInterrupt), wait_for_actions():
            uvicorn.Server(config).run(sockets=[listening])
        console.print("closed")


def require_gradio() -> None:
    """Refuse to go on without the extra.

    Raises:
        DermaugError: It is not installed.
    """
    if importlib.util.find_spec("gradio") is None:
        raise DermaugError(
            "the page needs the extra app, which is not installed; install it with "
            f"{to_install('app')}"
        )


def listening_on(port: int) -> socket.socket:
    """A socket of this machine only.

    Raises:
        DermaugError: The port is in use.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
        listening.listen()  # at once: a browser that is quicker than the server waits
    except OSError as error:
        listening.close()
        raise DermaugError(
            f"port {port} of {ADDRESS} cannot be used ({error.strerror or error}); choose another "
            "with --port"
        ) from None
    return listening
