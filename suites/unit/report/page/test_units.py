"""Numbers with their units."""

from __future__ import annotations

import pytest

from harness.report.page.units import moment, rate, seconds, size


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (64 * 2**20, "67.11 MB"),
        (4e9, "4.00 GB"),
        (2.5e13, "25.00 TB"),
    ],
)
def test_bytes_in_the_largest_unit_that_fits(count: int, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize(
    ("value_s", "said"),
    [(0.000132, "0.13 ms"), (0.0123, "12.3 ms"), (2.347, "2.35 s"), (-0.002, "-2.00 ms")],
)
def test_durations(value_s: float, said: str) -> None:
    assert seconds(value_s) == said


def test_rates_and_moments() -> None:
    assert rate(0.49612) == "0.496 GB/s"
    assert moment(1_795_276_083.06) == "2026-11-21 15:48:03 UTC"
