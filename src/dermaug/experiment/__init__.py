"""From an experiment file to finished jobs on disk."""
