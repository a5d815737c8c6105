"""The plan of an experiment: its jobs, comparisons, checks and power."""
