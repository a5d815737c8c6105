"""Networks that tell the diagnosis of a lesion from its image."""
