"""The small study that the report's tests draw serves the tables over its cells too."""

import runpy
from pathlib import Path

_DRAWN = runpy.run_path(str(Path(__file__).parents[1] / "report" / "conftest.py"))
drawn_study = _DRAWN["drawn_study"]
