"""What is worse depends on the figure; what is said of it is short."""

from __future__ import annotations

import pytest

from harness.report.page.units import value
from harness.report.trend.words import kind, levels
from suites.unit.history.nights import kept
from suites.unit.report.trend.pasts import Moved

(SERIES,) = kept(0).series


@pytest.mark.parametrize(
    ("better", "change", "worse"),
    [
        ("higher", Moved(night=1, relative=-0.05), True),
        ("higher", Moved(night=1, relative=0.05), False),
        ("lower", Moved(night=1, relative=-0.05), False),
        ("lower", Moved(night=1, relative=0.05, kind="drift"), True),
        ("higher", Moved(night=1, relative=0.5, kind="spread"), True),
        ("lower", Moved(night=1, relative=-0.5, kind="spread"), False),
    ],
)
def test_what_is_worse(better: str, change: Moved, worse: bool) -> None:
    assert change.is_worse(better) is worse


def test_a_change_in_words() -> None:
    step = Moved(night=1)
    assert kind(step) == "▼ step of -5.5%"
    assert levels(SERIES, step) == "0.126 GB/s to 0.119 GB/s"
    wide = Moved(night=1, kind="spread", before=0.004, after=0.02, relative=4.0)
    assert (kind(wide), levels(SERIES, wide)) == (
        "↔ spread of +400.0%",
        "0.4% to 2.0% of the level",
    )


def test_each_figure_has_its_unit() -> None:
    told = [value(name, 0.0123) for name in ("gb_s", "iteration_s", "cpu_s_per_gb", "other")]
    assert told == ["0.012 GB/s", "12.3 ms", "0.0123", "0.0123"]
