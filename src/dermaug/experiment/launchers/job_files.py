"""The files of a job on their way between machines that share no folder."""

from dataclasses import dataclass, field
from pathlib import Path

from dermaug.aside import PARTIAL, written_aside
from dermaug.experiment.run.layout import CLAIM, RECORD
from dermaug.training.resume import BEFORE, LAST

Files = dict[str, bytes]
"""Path below a job's folder -> content."""


def write_files(folder: Path, files: Files) -> None:
    """Write files of a job, each whole or not at all.

    The checkpoint for a resume comes last of all but the record: whatever belongs to it is there.
    """
    order = (LAST, RECORD)
    for name in sorted(files, key=lambda name: order.index(name) if name in order else -1):
        before = folder / BEFORE if name == LAST else None
        with written_aside(folder / name, len(files[name]), before) as aside:
            aside.write_bytes(files[name])


@dataclass
class Reader:
    """Reads the files of a job's folder, but its claim, that have changed since it was read before.

    Args:
        folder: The folder, to which another thread may be writing.
        left_out: Names of files to leave out.
    """

    folder: Path
    left_out: frozenset[str] = frozenset()
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def changed(self) -> Files:
        """Path below the folder -> content of each file that is new or has changed.

        The checkpoint for a resume is read first: the files that a training writes before it are
        then at least as new.
        """
        found = [path for path in self.folder.rglob("*") if path.is_file()]
        files: Files = {}
        for path in sorted(found, key=lambda path: path.name != LAST):
            name = str(path.relative_to(self.folder))
            if PARTIAL in name or path.name in (CLAIM, *self.left_out):
                continue
            try:
                status = path.stat()
                stamp = (status.st_mtime_ns, status.st_size)
                if self._seen.get(name) != stamp:
                    files[name] = path.read_bytes()
            except FileNotFoundError:
                continue
            self._seen[name] = stamp
        return files
