"""Pure functions from what was seen to what is true, and to whose fault it is if not."""

from harness.verdict.finding import counted, headline
from harness.verdict.judge import cause, judge, judge_exchange, unsettled
from harness.verdict.mesh import exchanges_of
from harness.verdict.outcome import Outcome, outcome_named, outcome_of, worst
from harness.verdict.speed import least_loaded, rate, scaling

__all__ = [
    "Outcome",
    "cause",
    "counted",
    "exchanges_of",
    "headline",
    "judge",
    "judge_exchange",
    "least_loaded",
    "outcome_named",
    "outcome_of",
    "rate",
    "scaling",
    "unsettled",
    "worst",
]
