"""What both trainings share and that knows no model."""
