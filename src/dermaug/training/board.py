"""TensorBoard's event file, written as it comes; a full disk ends it, not the training."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard.summary import scalar

from dermaug.console import console
from dermaug.host import this_host


class Board:
    """Curves for TensorBoard. It is a view of the journal, so nothing is lost without it.

    `torch.utils.tensorboard.SummaryWriter` writes in a thread of its own, which ends with a
    traceback when the disk is full and then raises in the training.

    Args:
        folder: Folder of the event file.
        images: Images shown at the checkpoint from which the training resumes; TensorBoard drops
            what it was told of later steps.
    """

    def __init__(self, folder: Path, images: int) -> None:
        name = f"events.out.tfevents.{int(time.time()):010d}.{this_host()}.{os.getpid()}"
        self._path = folder / name
        self._has_ended = False
        self._add(Event(file_version="brain.Event:2"))
        if images:
            start = SessionLog(status=SessionLog.START)
            self._add(Event(step=images + 1, session_log=start))

    def write(self, images: int, values: Mapping[str, float]) -> None:
        """Add one point to each curve."""
        for name, value in values.items():
            summary = scalar(name, value)  # type: ignore[no-untyped-call]
            self._add(Event(step=images, summary=summary))

    def _add(self, event: Event) -> None:
        if self._has_ended:
            return
        event.wall_time = time.time()
        try:
            with self._path.open("ab") as file:
                RecordWriter(file).write(event.SerializeToString())
        except OSError as error:  # perhaps in the middle of an event, after which none is read
            self._has_ended = True
            console.print(f"{self._path.parent}: no more curves for TensorBoard ({error.strerror})")
