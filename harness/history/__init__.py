"""What earlier nights measured, by testbed."""

from harness.history.series import Key, Night, Series

__all__ = ["Key", "Night", "Series"]
