"""A program: run an experiment on two Ray nodes of its own, and kill one of them meanwhile.

It is meant for `unshare` with network and process namespaces of its own: nothing else sees the
nodes, and they end with it.

Usage: ray_nodes.py EXPERIMENT FOLDER
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment_file import read_experiment

HEAD, OTHER, PORT = "127.0.0.1", "127.0.0.2", 6399


def start(address: str, *words: str) -> None:
    """Start a node with one CPU, with nothing of it in a folder that the other one uses."""
    program = [str(Path(sys.executable).parent / "ray"), "start", f"--node-ip-address={address}"]
    limits = ["--num-cpus=1", "--num-gpus=0", "--object-store-memory=100000000"]
    subprocess.run([*program, *limits, "--disable-usage-stats", *words], check=True)


def node_processes(address: str) -> list[int]:
    """Process number of the raylet at an address."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = path.read_bytes().split(b"\0")
        if words[0].endswith(b"raylet") and f"--node_ip_address={address}".encode() in words:
            found.append(int(path.parent.name))
    return found


def is_busy(folder: Path) -> bool:
    """Whether both nodes train, and one of them has sent a checkpoint."""
    jobs = [path.parent for path in folder.glob("*/**/claim.json")]
    return len(jobs) == 2 and any((job / "resume.safetensors").exists() for job in jobs)


def kill_when_busy(folder: Path) -> None:
    """Kill the other node when both train."""
    while not is_busy(folder):
        time.sleep(0.02)
    for process in node_processes(OTHER):
        os.kill(process, signal.SIGKILL)
        print("killed a node", flush=True)


def main(experiment: Path, folder: Path) -> None:
    """Start the nodes, and run the experiment on them."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    start(HEAD, "--head", f"--port={PORT}", "--include-dashboard=false")
    start(OTHER, f"--address={HEAD}:{PORT}")
    threading.Thread(target=kill_when_busy, args=(folder,), daemon=True).start()
    launch = Launch("cpu", launcher="ray", jobs=2, address=f"{HEAD}:{PORT}")
    run_experiment(folder, read_experiment(experiment), launch)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
