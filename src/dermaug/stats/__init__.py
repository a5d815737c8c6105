"""Statistics: numpy and tables only, no torch, no paths."""

from dermaug.stats.paired import Difference, PairedDifference, paired_difference

__all__ = ["Difference", "PairedDifference", "paired_difference"]
