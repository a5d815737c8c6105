"""Hand on what a run has made: synthetic sets and models, with cards, for other tools."""
