"""The stages of a study; each reads the output of earlier stages from disk and writes its own."""
