"""How the jobs of a run are carried out."""
