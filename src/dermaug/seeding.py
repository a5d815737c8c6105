"""Seeds derived from a trial's coordinates: the same on every machine and in every process."""

import hashlib


def derive_seed(*parts: str | int) -> int:
    """Map names and numbers to a 32-bit seed.

    Args:
        parts: Coordinates of the trial, for example model, fold, seed and purpose. The arm is never
            among them, so that arms share initial weights and comparisons are paired.

    Example:
        >>> derive_seed("fridadar", 0, 1) == derive_seed("fridadar", 0, 1)
        True
        >>> derive_seed("fridadar", 0, 1) == derive_seed("fridadar", 0, 2)
        False
    """
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big")
