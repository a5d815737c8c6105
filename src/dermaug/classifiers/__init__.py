"""Networks that classify lesions from their images."""
