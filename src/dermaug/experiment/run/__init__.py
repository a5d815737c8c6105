"""The run folder: what lies where, what is done, and what is read back."""
