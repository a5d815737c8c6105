"""Evaluation: functions from arrays to numbers."""
