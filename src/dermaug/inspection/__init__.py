"""Trained things and images looked at: audit, exploration, data check."""
