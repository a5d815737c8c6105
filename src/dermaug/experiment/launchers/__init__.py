"""Launchers, which carry out the jobs of a run."""
