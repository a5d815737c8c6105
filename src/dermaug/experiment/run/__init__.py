"""The run folder: its layout, its records, the state of its jobs, and its results."""
