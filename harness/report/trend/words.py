"""Figures, days and changes as the trend page says them."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.history import Series
from harness.report.page.units import rate, seconds
from harness.report.trend.past import Change

NAMES = {
    "gb_s": "GB/s",
    "iteration_s": "seconds an iteration",
    "cpu_s_per_gb": "CPU seconds a GB",
    "gb_s_beside": "GB/s beside the plan's other NICs",
}
SIGNS = {"step": ("▼", "▲"), "drift": ("↘", "↗"), "spread": ("↔", "↔")}


def metric(name: str) -> str:
    return NAMES.get(name, name)


def value(name: str, figure: float) -> str:
    if name == "gb_s":
        return rate(figure)
    return seconds(figure) if name.endswith("iteration_s") else f"{figure:#.3g}"


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
