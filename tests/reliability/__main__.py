"""`python -m reliability WHAT [--number N] [--seed N] [--minutes M]`; WHAT is a key of COUNTS."""

import argparse
import os
import tempfile
from pathlib import Path

from reliability import bad_input, command_line, kills, soak
from reliability.processes import one_thread

COUNTS = {
    "kills": kills.kill_all,
    "bad-input": bad_input.try_all,
    "command-line": command_line.try_all,
    "soak": soak.soak,
}


def main() -> None:
    """Count, print, and end with 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m reliability", description=__doc__)
    parser.add_argument("what", choices=COUNTS)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0)
    asked = parser.parse_args()
    one_thread()
    with tempfile.TemporaryDirectory() as name:
        os.environ["DERMAUG_CACHE"] = f"{name}/cache"
        place = Path(name, "work")
        place.mkdir()
        count = COUNTS[asked.what](asked.number, asked.seed, place, asked.minutes)
    for fault in count.faults:
        print(fault)
    print(f"{asked.what}, seed {asked.seed}: {count}")
    raise SystemExit(bool(count.faults))


if __name__ == "__main__":
    main()
