"""Run an experiment: from its file to finished jobs on disk."""
