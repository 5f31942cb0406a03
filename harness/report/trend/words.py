"""Figures, days and changes as the trend page says them."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.history import Series
from harness.report.page.units import value
from harness.report.trend.past import Change

SIGNS = {"step": ("▼", "▲"), "drift": ("↘", "↗"), "spread": ("↔", "↔")}


def day(at_s: float) -> str:
    return datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%d")


def kind(change: Change) -> str:
    """`step of -5.1%`, with a sign for the eye."""
    sign = SIGNS.get(change.kind, ("●", "●"))[change.relative > 0]
    return f"{sign} {change.kind} of {change.relative:+.1%}"


def levels(series: Series, change: Change) -> str:
    """Before and after; of a spread both are shares of the level."""
    if change.kind == "spread":
        return f"{change.before:.1%} to {change.after:.1%} of the level"
    name = series.key.metric
    return f"{value(name, change.before)} to {value(name, change.after)}"
