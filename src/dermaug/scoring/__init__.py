"""From predictions to tables: scores, differences and verdicts."""
