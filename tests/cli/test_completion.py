import os
import subprocess
import sys
from pathlib import Path


def completed(words: str) -> list[str]:
    """What a shell is offered for the last of some words."""
    asked = {"_DERMAUG_COMPLETE": "complete_bash", "COMP_WORDS": words}
    place = {"COMP_CWORD": str(len(words.split(" ")) - 1)}
    program = Path(sys.executable).parent / "dermaug"
    done = subprocess.run(
        [program], env=os.environ | asked | place, capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def test_a_shell_completes_commands_and_options() -> None:
    assert completed("dermaug re") == ["report", "readers"]
    assert "--data" in completed("dermaug run --da")
