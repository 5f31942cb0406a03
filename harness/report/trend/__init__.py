"""The history as one page: what changed, since which night, and what came in between."""

from harness.report.trend.page import trend
from harness.report.trend.past import Change, Changes, Past, past

__all__ = ["Change", "Changes", "Past", "past", "trend"]
