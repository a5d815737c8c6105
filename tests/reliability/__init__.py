"""What dermaug survives, counted: kills, bad input, and hours of both.

From the root of the repository: `PYTHONPATH=tests uv run python -m reliability --help`.
"""
