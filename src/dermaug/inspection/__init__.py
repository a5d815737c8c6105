"""Inspection of trained networks, synthetic images and data: audit, exploration, data check."""
