"""Data sets as tables, decoded pixels, and splits that keep lesions together."""
