"""scipy's statistics, loaded when first asked for: runs that compare nothing need not have it."""

from __future__ import annotations

from typing import Any

from harness.errors import StatisticsError


def stats() -> Any:
    """The module `scipy.stats`."""
    try:
        import scipy.stats
    except ImportError as error:
        raise StatisticsError(
            f"nights cannot be compared: {error}",
            expected="scipy, which statistics come from",
            fix="Run: python -m pip install 'tcpx-harness[regression]'",
        ) from error
    return scipy.stats
