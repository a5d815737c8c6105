"""Memory that runs out in the middle of a training: said with advice, and nothing saved is lost."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from small_grid import until, written

from dermaug.experiment.run.claims import holder_of
from dermaug.training.checkpoint import load_checkpoint

PROGRAM = str(Path(sys.executable).parent / "dermaug")
ROOM = 2 << 20
"""Bytes that a program may still take: enough for words, too little for a step."""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits a running program: Linux only")
def test_a_training_without_memory_is_resumed_from_its_checkpoint(tmp_path: Path) -> None:
    words = [PROGRAM, "run", str(written(tmp_path)), "--output", "run", "--device", "cpu"]
    words += ["--launcher", "serial"]
    run = tmp_path / "run"
    # Tensors are asked of the system anew at each step, which then says no.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    with subprocess.Popen(
        words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as started:
        until(lambda: any(run.rglob("resume*.safetensors")))
        holder = holder_of(next(run.rglob("resume*.safetensors")).parent / "claim.json")
        assert holder is not None
        pages = int(Path(f"/proc/{holder.pid}/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + ROOM
        resource.prlimit(holder.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        _, told = started.communicate(timeout=300)
    assert started.returncode == 2, told
    assert "error: out of memory; reduce the size, batch, width" in told
    assert "Traceback" not in told
    saved = list(run.rglob("resume.safetensors"))
    assert saved
    assert all(map(load_checkpoint, saved))
    again = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert not list(run.rglob("resume*"))
