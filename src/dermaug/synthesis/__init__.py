"""Synthesis: from a trained generator to a folder of labelled images with their provenance."""
