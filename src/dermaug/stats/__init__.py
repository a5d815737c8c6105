"""Statistics on arrays and tables; imports no torch and reads no files."""

from dermaug.stats.paired import Difference, PairedDifference, paired_difference

__all__ = ["Difference", "PairedDifference", "paired_difference"]
