"""Statistics: numpy and tables only, no torch, no paths."""
