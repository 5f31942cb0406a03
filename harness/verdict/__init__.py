"""Pure functions from what was seen to what is true, and to whose fault it is if not."""

from harness.verdict.finding import counted, headline
from harness.verdict.judge import cause, judge, unsettled
from harness.verdict.outcome import Outcome, outcome_of, worst
from harness.verdict.speed import least_loaded, rate, scaling

__all__ = [
    "Outcome",
    "cause",
    "counted",
    "headline",
    "judge",
    "least_loaded",
    "outcome_of",
    "rate",
    "scaling",
    "unsettled",
    "worst",
]
