"""Data sets as tables, pixels on disk, and splits that keep lesions together."""
