"""The table shows figures, errors, promises and what is absent, each in its own words."""

from __future__ import annotations

from harness.bench import table
from harness.bench.figures import Spread
from harness.bench.growth import Point
from harness.bench.messages import Messages
from harness.bench.overhead import LITTLE, MUCH, Overhead
from harness.bench.ratios import Ratio
from harness.bench.rows import rows
from harness.bench.sheet import Sheet
from suites.unit.bench.turns import turns

ONE = Spread(1.0, 1.0, 1.0)
PRICE = Overhead(
    phases={"lease": ONE},
    fixed_s=Spread(0.1, 0.2, 0.3),
    controller_cpu_s=0.05,
    observer_core_share=0.015,
    observer_samples_s=20.0,
    role_memory_bytes={LITTLE: 150 << 20, MUCH: 160 << 20},
)


def test_a_row_shows_its_spread_or_its_error() -> None:
    good, bad = table.of_rows(
        rows("c", [*turns("a", 4, 1.0, 2.0), *turns("b", 4, 0.0)], lambda channels: 3.0)
    )[1:]
    assert "1.000/1.500/2.000" in good
    assert "0.500" in good
    assert "ERROR PEER: it crashed" in bad


def test_a_promise_is_kept_missed_or_not_measured() -> None:
    values = (1.0, 0.4, None)
    shown = table.of_ratios([Ratio(name="r", value=v, threshold=0.5) for v in values])
    assert [line.split()[0] for line in shown] == ["holds", "MISSES", "MISSES"]
    assert "not measured" in shown[2]


def test_a_sheet_shows_every_section_and_who_is_absent() -> None:
    sheet = Sheet(found={"nixl": ""}, install={"nixl": "pip install it"}, options={})
    assert not any("observer:" in line for line in table.of_sheet(sheet))
    sheet.overhead = PRICE
    sheet.messages = [Messages(chunk_bytes=4096, per_s=Spread(1e4, 2e4, 3e4), gb_s=0.08)]
    points = [
        Point(x=x, wall_s=x, transfer_s=x, cpu_s=x, rss_bytes=5, journal_bytes=5) for x in (1, 10)
    ]
    sheet.growth = {"bytes": points}
    shown = "\n".join(table.of_sheet(sheet))
    for words in (
        "0.100/0.200/0.300",
        "1.50% of a core",
        "150 MiB after 64 MiB",
        "20,000",
        "slope 1.00",
        "absent: nixl (pip install it)",
    ):
        assert words in shown
    assert PRICE.alone()["role-memory-growth-mib"] == 10.0
